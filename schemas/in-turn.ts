/** Work that goes one after the other: each begins when the one before has ended, however that ended. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

/** A new series, with nothing in it. */
export function series(): InTurn {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }
}
