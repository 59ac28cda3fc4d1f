import { describeError } from '../../schemas/errors.ts'
import { type Clock, sleep } from '../../schemas/ports/clock.ts'
import type { KnownDatasets } from './known-datasets.ts'
import { KNOWN_NAMES_MS_MAX } from './limits.ts'

/** Names of one column that messages accepted before had, those seen last first. */
export interface KnownNames {
  readonly dataset: string
  /** A key of the dataset, or its source. */
  readonly column: string
  readonly names: readonly string[]
}

export interface LearningDeps {
  readonly clock: Clock
  logLine(line: string): void
}

/**
 * Gives the names that were known before this start their places, before any sender can take them. Waits so long and no
 * longer; names that come later get what places are left.
 */
export async function learnNames(
  coming: Promise<readonly KnownNames[]>,
  datasets: KnownDatasets,
  { clock, logLine }: LearningDeps,
): Promise<void> {
  const came = new AbortController()
  const learning = coming
    .then(
      (known) => learn(known, datasets, clock.nowMs()),
      (error) => logLine(`collector: the names of the lake are not known: ${describeError(error)}`),
    )
    .finally(() => came.abort())
  await Promise.race([learning, sleep(clock, KNOWN_NAMES_MS_MAX, came.signal)])
  if (!came.signal.aborted)
    logLine('collector: the names of the lake are not known yet; it starts without them')
}

function learn(known: readonly KnownNames[], datasets: KnownDatasets, nowMs: number): void {
  datasets.setTime(nowMs)
  for (const { dataset, column, names } of known) datasets.get(dataset)?.learn(column, names)
}
