import type { Clock } from '../../schemas/ports/clock.ts'

export interface Watched {
  readonly everyMs: number
  /** Looks once. */
  look(): Promise<void>
  /** Told what a look threw, to do what is to be done all the same; returns what to say of it. */
  failed(error: unknown): string
}

export interface Watching {
  /** Ends it, after the look that is under way. */
  close(): Promise<void>
}

/** Looks again and again, with time between. What is wrong is said once, until a look goes well. */
export function watching(
  { everyMs, look, failed }: Watched,
  { clock, logLine }: { readonly clock: Clock; logLine(line: string): void },
): Watching {
  let trouble = ''
  let closed = false
  let looking: Promise<void> = Promise.resolve()
  let cancel = clock.after(everyMs, again)

  function again() {
    looking = look()
      .then(
        () => '',
        (error) => failed(error),
      )
      .then((what) => {
        if (what !== '' && what !== trouble) logLine(what)
        trouble = what
        if (!closed) cancel = clock.after(everyMs, again)
      })
  }

  return {
    async close() {
      closed = true
      cancel()
      await looking
    },
  }
}
