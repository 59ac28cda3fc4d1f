import type { Dataset } from '../../schemas/dataset.ts'
import { describeError, isError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { DataFile, Snapshot, Table } from '../delta/port.ts'
import { type Merge, planMerges } from './merge-plan.ts'
import type { SealEncoder } from './seal-files.ts'

export interface MergeDeps {
  readonly dataset: Dataset
  readonly messages: Table
  readonly encoder: SealEncoder
  readonly clock: Clock
  logLine(line: string): void
  /** Told of each merge that is in the table now. */
  merged?(merge: Merge, file: DataFile): void
}

/**
 * Merges the small files of a dataset's messages, one merge after the other, until `stopped`. Seals and runs go on meanwhile: a merge
 * changes no row, and gives up when one of its files is gone. One that cannot be read is said and left as it is.
 */
export async function mergeSmall(deps: MergeDeps, stopped: () => boolean): Promise<void> {
  const base = (await deps.messages.snapshot()) as Snapshot
  for (const merge of planMerges(base.files.values(), deps.clock.nowMs())) {
    try {
      if (!stopped()) await mergeOnce(deps, merge, stopped)
    } catch (error) {
      if (stopped()) return
      if (isError(error, 'E_CONFLICT')) continue
      if (!isError(error, 'E_FILE_DAMAGED')) throw error
      deps.logLine(`lake writer: ${describeError(error)}; not merged`)
    }
  }
}

async function mergeOnce(
  { dataset, messages, encoder, merged }: MergeDeps,
  merge: Merge,
  stopped: () => boolean,
) {
  const { date, inputs } = merge
  const parts = await Promise.all(inputs.map((file) => messages.readFile(file)))
  const { bytes, about } = await encoder.merge(dataset, parts, date)
  if (stopped()) return
  const file = await messages.writeFile(bytes, about)
  await messages.commit((await messages.snapshot()) as Snapshot, {
    operation: 'OPTIMIZE',
    add: [file],
    remove: inputs.map((input) => input.path),
    dataChange: false,
  })
  merged?.(merge, file)
}

/**
 * Merges until nothing is left to be merged: as many rounds as it takes, and no further one after a round in which nothing could
 * be. Killed at any time, what was merged stays merged; the rest is planned again.
 */
export async function mergeAll(deps: MergeDeps, stopped: () => boolean): Promise<void> {
  for (let done = 1; done > 0 && !stopped(); ) {
    done = 0
    const merged = (merge: Merge, file: DataFile) => {
      done += 1
      deps.merged?.(merge, file)
    }
    await mergeSmall({ ...deps, merged }, stopped)
  }
}
