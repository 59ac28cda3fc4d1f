import type { Refusal } from './status.ts'

/** Refused lines of one sender for one reason, and when the last of them came. */
export interface Alike {
  readonly last: Refusal
  readonly times: number
}

/** Takes together what is refused again and again, so that one faulty sender hides no other. What was refused last stands first. */
export function alike(refusals: readonly Refusal[]): Alike[] {
  const groups = new Map<string, Alike>()
  for (const one of refusals) {
    const about = JSON.stringify([one.remote, one.code, one.reason])
    const { last = one, times = 0 } = groups.get(about) ?? {}
    groups.set(about, { last: last.time < one.time ? one : last, times: times + 1 })
  }
  return [...groups.values()].sort((a, b) => (a.last.time < b.last.time ? 1 : -1))
}
