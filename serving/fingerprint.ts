import type { KeySummary } from '../schemas/cell-rows.ts'
import { DAY_MS } from '../schemas/time.ts'
import type { Range } from './answers.ts'
import { type Moment, wholeOf } from './moment.ts'

/**
 * What the figures of `key`, or of all keys, in `range` depend on: the definition and the files of the published version that hold
 * its dates. Null where cells above the tidemark may touch the range, or where it is not whole.
 */
export function fingerprintOf(at: Moment, range: Range, key?: string): string | null {
  if (!wholeOf(at, range).complete) return null
  for (const { firstMs, lastMs } of realtimeSummaries(at, key))
    if (lastMs + at.index.view.bucketMs > range.fromMs && firstMs < range.toMs) return null
  const files = [...at.index.dates].flatMap(([startMs, { path }]) =>
    startMs > range.fromMs - DAY_MS && startMs <= range.toMs ? [path] : [],
  )
  return JSON.stringify([at.basis.definition, ...files.sort()])
}

function* realtimeSummaries({ index, open }: Moment, key: string | undefined): Generator<KeySummary> {
  if (key === undefined) {
    yield* index.ticks.keys()
    for (const part of open) yield* part.keys()
    return
  }
  const ticked = index.ticks.summary(key)
  if (ticked !== null) yield ticked
  for (const part of open) yield* part.summaries(key)
}
