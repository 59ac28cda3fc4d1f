import { RepeatStates } from '../../../lake/tables/repeat-states.ts'
import { startLakeWriter } from '../../../lake/writer/writer.ts'
import { sealThread } from '../../host/seal-thread.ts'
import type { Settings } from '../../settings/settings.ts'
import type { Closing } from '../closing.ts'
import { startExpiring } from '../expiring.ts'
import type { SharedLog } from '../log.ts'
import type { Joined } from './joined.ts'
import { groupState, type Layer, type LayerHost, reasonsOf } from './layer.ts'

/** Starts a lake writer of a deployment: it seals the log into the tables of messages, merges small files and trims the log. */
export async function startLakeWriterLayer(
  settings: Settings,
  { joined, shared }: { joined: Joined; shared: SharedLog },
  host: LayerHost,
  closing: Closing,
): Promise<Layer> {
  const { clock, logLine } = host
  const { store, tables, wake } = joined
  const { log } = shared
  const ownership = shared.share('lake-writer')
  closing.add('group', () => ownership.close())
  const states = new RepeatStates({ store, clock, logLine })
  const { position } = await joined.named()
  const writer = await startLakeWriter(
    {
      retentionMs: settings.durationMs('lake.retention'),
      named: position,
    },
    {
      log,
      datasets: tables.datasets,
      encoder: sealThread(),
      states,
      ownership,
      clock,
      wake,
      logLine,
    },
  )
  closing.add('lake writer', () => writer.close())
  startExpiring(settings, joined, host, closing)
  return {
    greeting: [],
    status: async () => ({ lake: writer.status(), log: log.state() }),
    reasons: async () => reasonsOf({ log: log.state(), group: groupState(ownership), lake: writer.status() }),
  }
}
