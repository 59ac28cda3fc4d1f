import { useEffect, useState } from 'preact/hooks'

/** What is known of a question: the newest answer, and what went wrong since. */
export interface Answer<T> {
  readonly data: T | null
  readonly error: Error | null
  /** Another one is on its way. */
  readonly loading: boolean
  /** The answer is one to the question before. */
  readonly stale: boolean
}

interface Kept<T> extends Omit<Answer<T>, 'stale'> {
  readonly about: string | null
  readonly subject: string
}

const RETRY_MS = 3_000

/** A server that is away, starts, is busy or asked too often may answer later. */
const isPassing = ({ status = 400 }: { status?: number }) => status === 0 || status === 429 || status >= 500

export interface Asking {
  /** Asks again so often. */
  readonly everyMs?: number
  /** What is asked about: an answer about something else is not shown while the next one is on its way. */
  readonly subject?: string
}

/**
 * Asks whenever `about` changes, again every `everyMs`, and soon where the server could not answer. While it waits, and while the
 * server is away, the last answer stays; one to a question that is no longer asked is dropped.
 */
export function useAnswer<T>(
  about: string | null,
  question: (signal: AbortSignal) => Promise<T>,
  { everyMs, subject = '' }: Asking = {},
): Answer<T> {
  const [kept, setKept] = useState<Kept<T>>({ data: null, error: null, loading: true, about, subject })
  useEffect(() => {
    if (about === null) return
    const control = new AbortController()
    let timer = 0
    const once = async () => {
      setKept((before) => ({ ...before, loading: true }))
      let againMs = everyMs
      try {
        const data = await question(control.signal)
        if (control.signal.aborted) return
        setKept({ data, error: null, loading: false, about, subject })
      } catch (error) {
        if (control.signal.aborted) return
        setKept((before) => ({
          ...(before.subject === subject ? before : { data: null, about, subject }),
          error: error as Error,
          loading: false,
        }))
        if (isPassing(error as { status?: number })) againMs = Math.min(againMs ?? RETRY_MS, RETRY_MS)
      }
      if (againMs !== undefined) timer = window.setTimeout(once, againMs)
    }
    void once()
    return () => {
      control.abort()
      window.clearTimeout(timer)
    }
  }, [about, everyMs])
  const { data, error, loading } = kept
  if (kept.subject !== subject) return { data: null, error: null, loading: true, stale: false }
  return { data, error, loading, stale: data !== null && kept.about !== about }
}
