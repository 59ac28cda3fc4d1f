import { useEffect, useState } from 'preact/hooks'

/** What is known of a question: the newest answer, and what went wrong since. */
export interface Answer<T> {
  readonly data: T | null
  readonly error: Error | null
  /** Another one is on its way. */
  readonly loading: boolean
}

const RETRY_MS = 3_000

/**
 * Asks whenever `about` changes, and again every `everyMs`. While it waits, and while the server is away, the last answer
 * stays; one to a question that is no longer asked is dropped.
 */
export function useAnswer<T>(
  about: string | null,
  question: (signal: AbortSignal) => Promise<T>,
  everyMs?: number,
): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ data: null, error: null, loading: true })
  useEffect(() => {
    if (about === null) return
    const control = new AbortController()
    let timer = 0
    const once = async () => {
      setAnswer((before) => ({ ...before, loading: true }))
      let againMs = everyMs
      try {
        const data = await question(control.signal)
        if (control.signal.aborted) return
        setAnswer({ data, error: null, loading: false })
      } catch (error) {
        if (control.signal.aborted) return
        setAnswer((before) => ({ data: before.data, error: error as Error, loading: false }))
        if ((error as { status?: number }).status === 0) againMs = RETRY_MS
      }
      if (againMs !== undefined) timer = window.setTimeout(once, againMs)
    }
    void once()
    return () => {
      control.abort()
      window.clearTimeout(timer)
    }
  }, [about, everyMs])
  return answer
}
