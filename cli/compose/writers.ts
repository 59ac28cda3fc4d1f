import { type Batch, startBatch } from '../../batch/batch.ts'
import type { OpenEngine } from '../../batch/engines/engine.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import type { LakeTables } from '../../lake/tables/deployment.ts'
import { allViews } from '../../lake/tables/deployment.ts'
import type { SealEncoder } from '../../lake/writer/seal-files.ts'
import { type LakeWriter, startLakeWriter } from '../../lake/writer/writer.ts'
import type { LogReader } from '../../log/port.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import type { Wake } from '../../schemas/ports/layers.ts'
import type { Position } from '../../schemas/position.ts'
import { type Speed, type SpeedDeps, startSpeed } from '../../speed/speed.ts'

export interface WritersConfig {
  readonly tickMs: number
  readonly retentionMs: number
  readonly unsealedBytesMax: number
  /** Highest positions that the lake names. */
  readonly named: Position
  /** When runs start (cron, UTC); null: only when asked. */
  readonly schedule: string | null
  /** Name of the batch engine, for the records. */
  readonly engine: string
  readonly isAlone: boolean
}

export interface WritersDeps {
  readonly log: LogReader
  /** The lake's tables as each layer sees them; mostly the same. */
  readonly tables: { readonly writer: LakeTables; readonly speed: LakeTables; readonly batch: LakeTables }
  /** The lake's, for what runs keep beside its tables. */
  readonly store: ObjectStore
  readonly openEngine: OpenEngine
  /** Makes the files of seals; absent: in this thread. */
  readonly encoder?: SealEncoder
  /** Makes the files of ticks; absent: in this thread. */
  readonly encodeTick?: NonNullable<SpeedDeps['encode']>
  /** Lets queries have their turn while speed folds; absent: there are none. */
  readonly turn?: NonNullable<SpeedDeps['turn']>
  readonly clock: Clock
  readonly random: Random
  readonly wake: Wake
  logLine(line: string): void
}

/**
 * Answers see open cells here, so that an early tick makes nothing newer: it bounds what is folded again after a crash, a second of work for
 * so many. Until the next tick is due the cells of a back-fill are held once, not as ticks too, and no thread is busy with those.
 */
const EARLY_CELLS = 200_000

/** The layers that write to the lake. */
export interface Writers {
  readonly writer: LakeWriter
  readonly speed: Speed
  readonly batch: Batch
}

/** Starts the layers that write to the lake, each after those it asks; `started` is told of each at once. */
export async function startWriters(
  config: WritersConfig,
  { tables, ...deps }: WritersDeps,
  started: (name: string, layer: { close(): Promise<void> }) => void = () => {},
): Promise<Writers> {
  const { tickMs, retentionMs } = config
  const writer = await startLakeWriter(config, { ...deps, datasets: tables.writer.datasets })
  started('lake writer', writer)
  const speed = await startSpeed(
    { tickMs, retentionMs, earlyCells: EARLY_CELLS },
    { ...deps, views: allViews(tables.speed), ...(deps.encodeTick && { encode: deps.encodeTick }) },
  )
  started('speed', speed)
  const batch = await startBatch(config, {
    ...deps,
    tables: tables.batch,
    sealer: writer,
    ticker: speed,
  })
  started('batch', batch)
  return { writer, speed, batch }
}
