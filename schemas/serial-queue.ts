/** Does one piece of work after the other: each begins when the one before has ended, however that ended. */
export type SerialQueue = <T>(work: () => Promise<T>) => Promise<T>

/** A new queue, with nothing in it. For work that is asked for again and again see `Coalesced`. */
export function serialQueue(): SerialQueue {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }
}
