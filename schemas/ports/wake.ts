import type { Wake } from './layers.ts'

/** A `Wake` for the layers of one process. */
export function makeWake(): Wake {
  const subscribers = new Set<() => void>()
  return {
    notify() {
      for (const fn of [...subscribers]) fn()
    },
    subscribe(fn) {
      subscribers.add(fn)
      return () => void subscribers.delete(fn)
    },
  }
}

/** One that tells nobody anything: for a layer that looks by itself as often as it must. */
export function quietWake(): Wake {
  return { notify() {}, subscribe: () => () => {} }
}
