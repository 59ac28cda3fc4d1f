import type { Clock } from '../../schemas/ports/clock.ts'

/** Does `work` again and again until the result is called, which waits for what is going on. */
export function every(clock: Clock, ms: number, work: () => Promise<void>): () => Promise<void> {
  let closed = false
  let going = Promise.resolve()
  let cancel = () => {}
  const arm = () => {
    cancel = clock.after(ms, () => {
      going = work().then(() => {
        if (!closed) arm()
      })
    })
  }
  arm()
  return async () => {
    closed = true
    cancel()
    await going
  }
}
