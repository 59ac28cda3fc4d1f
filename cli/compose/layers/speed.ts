import { allViews } from '../../../lake/tables/deployment.ts'
import { RepeatStates } from '../../../lake/tables/repeat-states.ts'
import { quietWake } from '../../../schemas/ports/wake.ts'
import { startSpeed } from '../../../speed/speed.ts'
import { sealThread } from '../../host/seal-thread.ts'
import { eventLoopTurn } from '../../host/turn.ts'
import type { Settings } from '../../settings/settings.ts'
import type { Closing } from '../closing.ts'
import type { SharedLog } from '../log.ts'
import type { Joined } from './joined.ts'
import { groupState, type Layer, type LayerHost, reasonsOf } from './layer.ts'

/** Starts a speed worker of a deployment: it folds the log into ticks. */
export async function startSpeedLayer(
  settings: Settings,
  { joined, shared }: { joined: Joined; shared: SharedLog },
  { clock, logLine }: LayerHost,
  closing: Closing,
): Promise<Layer> {
  const { store, tables } = joined
  const { log } = shared
  const ownership = shared.share('speed')
  closing.add('group', () => ownership.close())
  const states = new RepeatStates({ store, clock, logLine })
  const encoder = sealThread()
  closing.add('encoder', () => encoder.close())
  const speed = await startSpeed(
    {
      tickMs: settings.durationMs('speed.tick'),
      retentionMs: settings.durationMs('lake.retention'),
      vouches: true,
    },
    {
      log,
      views: allViews(tables),
      encode: (parts) => encoder.encodeCells(parts),
      states,
      ownership,
      turn: eventLoopTurn,
      clock,
      // It looks at the lake at each tick.
      wake: quietWake(),
      logLine,
    },
  )
  closing.add('speed', () => speed.close())
  return {
    greeting: [],
    status: async () => ({ speed: speed.status(), log: log.state() }),
    reasons: async () => reasonsOf({ log: log.state(), group: groupState(ownership), speed: speed.status() }),
  }
}
