import type { Snapshot } from '../lake/delta/port.ts'
import { type FrozenFile, fitsView } from '../lake/tables/frozen.ts'
import { viewState } from '../lake/tables/published.ts'
import { type Gap, IMPORT_PARTITION } from '../schemas/position.ts'
import { DAY_MS } from '../schemas/time.ts'
import { definitionHash, parseDefinition, type View } from '../schemas/view.ts'

type Frozen = ReadonlyMap<string, readonly FrozenFile[]>

/** What a run says of a definition that changed, in words: what became of it and of what cannot be recomputed; null when it did not. */
export function reportOf(view: View, published: Snapshot, frozen: Frozen): string | null {
  const state = viewState(published)
  const hash = definitionHash(view)
  const parts: string[] = []
  if (state !== null && state.hash !== hash) {
    const changes = changesOf(parseDefinition(state.definition), view).map((change) => `; ${change}`)
    parts.push(
      `the definition changed from ${state.hash} to ${hash}${changes.join('')}: everything was recomputed`,
    )
  }
  const older = [...frozen].filter(([, files]) => files.some((one) => one.hash !== hash))
  const left = older.filter(([, files]) => files.some((one) => !fitsView(one, view)))
  const kept = older.length - left.length
  if (kept > 0) parts.push(`${dates(kept)} of expired messages keep cells of an earlier definition`)
  if (left.length > 0)
    parts.push(
      `cells of ${dates(left.length)} of expired messages do not fit this definition and are left out`,
    )
  return parts.length === 0 ? null : parts.join('; ')
}

const dates = (n: number) => `${n} date${n === 1 ? '' : 's'}`

function changesOf(before: View, after: View): string[] {
  const names = ({ gauges }: View) => gauges.map(({ gauge }) => gauge)
  const without = (all: string[], some: string[]) => all.filter((name) => !some.includes(name))
  const come = without(names(after), names(before))
  const gone = without(names(before), names(after))
  const scaled = after.gauges.filter((one) =>
    before.gauges.some(({ gauge, scale }) => gauge === one.gauge && scale !== one.scale),
  )
  return [
    ...(String(before.key) === String(after.key)
      ? []
      : [`key ${before.key.join(', ')} became ${after.key.join(', ')}`]),
    ...(before.bucketMs === after.bucketMs
      ? []
      : [`a cell of ${before.bucketMs} ms became ${after.bucketMs} ms`]),
    ...(come.length === 0 ? [] : [`gauge ${come.join(', ')} came`]),
    ...(gone.length === 0 ? [] : [`gauge ${gone.join(', ')} went`]),
    ...(scaled.length === 0 ? [] : [`the scale of ${scaled.map(({ gauge }) => gauge).join(', ')} changed`]),
  ]
}

/** The dates of which frozen cells cannot be cells of the view: their messages are gone, so answers lack them. */
export function unfitGaps(view: View, frozen: Frozen): Gap[] {
  return [...frozen].flatMap(([date, files]) => {
    if (files.every((one) => fitsView(one, view))) return []
    return [
      dateGap(date, `the messages of ${date} are expired, and their cells are of an earlier definition`),
    ]
  })
}

/** A gap of a whole date, of which nobody knows any more where its messages stood in the log. */
export function dateGap(date: string, reason: string): Gap {
  const fromMs = Date.parse(date)
  return { partition: IMPORT_PARTITION, from: 0, to: 0, fromMs, toMs: fromMs + DAY_MS, reason }
}
