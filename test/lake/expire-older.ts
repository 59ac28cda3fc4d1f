import { type ExpiredDate, expireMessages } from '../../lake/expire/expire.ts'
import type { Keep } from '../../lake/expire/keep.ts'
import { DAY_MS } from '../../schemas/time.ts'
import type { batchRig } from '../batch/rig.ts'
import { simRandom } from '../sim/random.ts'

type Rig = Awaited<ReturnType<typeof batchRig>>

/** What `keep` says expires, as by another process; what it was. */
export async function expireBy(rig: Rig, keep: Keep, isDry = false): Promise<ExpiredDate[]> {
  const found: ExpiredDate[] = []
  const { signal } = new AbortController()
  for (const tables of rig.tables().datasets)
    await expireMessages(
      tables,
      { keep, isDry, done: (date) => found.push(date) },
      { clock: rig.clock, random: simRandom(rig.store.objects.size), signal },
    )
  return found
}

/** Everything that is older than so many days expires. */
export function expireOlder(rig: Rig, days: number): Promise<ExpiredDate[]> {
  return expireBy(rig, [{ dataset: null, service: null, keepMs: days * DAY_MS }])
}
