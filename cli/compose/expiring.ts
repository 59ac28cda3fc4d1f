import { openAudit } from '../../lake/audit.ts'
import { expireMessages } from '../../lake/expire/expire.ts'
import { removeUnfinished } from '../../lake/expire/unfinished.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import type { LakeTables } from '../../lake/tables/deployment.ts'
import { Coalesced } from '../../schemas/coalesced.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import type { Settings } from '../settings/settings.ts'
import type { Closing } from './closing.ts'
import type { Host } from './host.ts'

/** After a start other things go first. */
const FIRST_MS = 60_000

/** Starts what lets messages expire that are older than `lake.keep` says, every hour; by default none do. */
export function startExpiring(
  settings: Settings,
  { tables, store }: { readonly tables: LakeTables; readonly store: ObjectStore },
  { clock, random, logLine }: Pick<Host, 'clock' | 'random' | 'logLine'>,
  closing: Closing,
): void {
  const keep = settings.keep('lake.keep')
  if (keep.every(({ keepMs }) => keepMs === null)) return
  const audit = openAudit({ store, clock, random })
  const stopping = new AbortController()
  const expiry = new Coalesced(expireAll, { say: (reason) => logLine(`expiry: ${reason}`) })
  let cancelNext = () => {}

  async function expireAll(): Promise<void> {
    const { signal } = stopping
    for (const one of tables.datasets) {
      let rows = 0
      const about = { dataset: one.dataset.name, keep: settings.text('lake.keep') }
      try {
        const done = (date: { rows: number }) => {
          rows += date.rows
        }
        await removeUnfinished(one, clock)
        await expireMessages(one, { keep, isDry: false, done }, { clock, random, signal })
      } finally {
        if (rows > 0)
          await audit.record({ who: 'lake.keep', what: 'lake expire', about, rows, result: 'done' })
      }
    }
  }

  function arm(ms: number): void {
    cancelNext = clock.after(ms, () => {
      arm(HOUR_MS)
      void expiry.kick()
    })
  }
  arm(FIRST_MS)
  closing.add('expiry', async () => {
    cancelNext()
    stopping.abort()
    await expiry.close()
  })
}
