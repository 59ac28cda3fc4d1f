import { type Batch, startBatch } from '../../../batch/batch.ts'
import { RepeatStates } from '../../../lake/tables/repeat-states.ts'
import { startLakeWriter } from '../../../lake/writer/writer.ts'
import { quietWake } from '../../../schemas/ports/wake.ts'
import { DAY_MS } from '../../../schemas/time.ts'
import { presentState } from '../../../serving/http/present-run.ts'
import { sealThread } from '../../host/seal-thread.ts'
import type { Settings } from '../../settings/settings.ts'
import type { Closing } from '../closing.ts'
import { engineOf } from '../engine.ts'
import type { SharedLog } from '../log.ts'
import type { Joined } from './joined.ts'
import { type Layer, type LayerHost, reasonsOf } from './layer.ts'
import { ticksElsewhere } from './ticks-elsewhere.ts'

/** Lake writers seal unasked; the one of a batch process seals before each run alone. */
const NEVER_MS = 20 * DAY_MS

/**
 * Starts the batch layer of a deployment. It seals what it needs itself, as one lake writer among others, and waits for the
 * ticks of speed. Of two that run at the same time one publishes; the other's run says so. `scheduled`: whether runs start
 * by `batch.schedule`.
 */
export async function startBatchLayer(
  settings: Settings,
  {
    joined,
    shared: { log },
    engine,
    scheduled,
  }: { joined: Joined; shared: SharedLog; engine: string; scheduled: boolean },
  host: LayerHost,
  closing: Closing,
): Promise<Layer & { readonly batch: Batch }> {
  const { clock, random, logLine } = host
  const { store, tables, wake } = joined
  const states = new RepeatStates({ store, clock, logLine })
  const tickMs = settings.durationMs('speed.tick')
  const retentionMs = settings.durationMs('lake.retention')
  const { position: named } = await joined.named()
  const writer = await startLakeWriter(
    { retentionMs, sealEveryMs: NEVER_MS, named },
    // Trimming is for the lake writers, but for what a run's own seal is followed by.
    { log, datasets: tables.datasets, encoder: sealThread(), states, clock, wake: quietWake(), logLine },
  )
  closing.add('sealing', () => writer.close())
  const batch = await startBatch(
    {
      ...{ tickMs, retentionMs, engine, isAlone: false },
      schedule: scheduled ? settings.text('batch.schedule') : null,
    },
    {
      store,
      tables,
      openEngine: engineOf(engine, settings, host, joined),
      sealer: writer,
      ticker: ticksElsewhere({ log, tables, tickMs }, clock),
      clock,
      random,
      wake,
      logLine,
    },
  )
  closing.add('batch', () => batch.close())
  return {
    batch,
    greeting: [['runs start', settings.text('batch.schedule')]],
    status: async () => {
      const { last: _, nextMs, active, state } = batch.status()
      const figures = {
        state,
        active: active && presentState(active),
        next_start_seconds: nextMs === null ? null : nextMs / 1_000,
      }
      return { batch: figures, lake: writer.status(), log: log.state() }
    },
    reasons: async () => {
      const failed = batch.status().last.find(({ result }) => result === 'failed')
      return reasonsOf({
        log: log.state(),
        lake: writer.status(),
        ...(failed && { batch: { state: 'failing', reason: failed.error } }),
      })
    },
  }
}
