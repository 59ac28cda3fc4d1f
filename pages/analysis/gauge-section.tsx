import { useMemo, useRef } from 'preact/hooks'
import {
  column,
  figures,
  type Gauge,
  keyOf,
  type Series,
  type SeriesPage,
  type Stats,
  type View,
} from '../api/types.ts'
import { Chart, type Line } from '../charts/chart.tsx'
import { type Hole, holesOf } from '../charts/gaps.ts'
import { savePicture } from '../charts/picture.ts'
import { compareNames, isolated, titleOf } from '../names/visible.ts'
import { go, newRange, withParams, zooms } from '../shell/address.ts'
import type { Shown } from '../shell/context.ts'
import { rangeParams } from '../time/range.ts'
import { lengthText, minute, moment, rangeText, valueText } from '../time/words.ts'
import { BucketTable } from './bucket-table.tsx'
import { LinesTable } from './lines-table.tsx'

interface Props {
  readonly shown: Shown
  readonly of: readonly string[]
  readonly gauge: Gauge
  readonly stats: Stats | null
  readonly series: Series | null
  readonly before: Series | null
  /** Keys that this one is compared with. */
  readonly others: readonly { readonly name: string; readonly series: Series }[] | null
  readonly each: { readonly view: View; readonly page: SeriesPage } | null
}

const MINUTE_MS = 60_000
/** What begins so many points behind the range began later. */
const LATE_STEPS = 3
/** Holes that are named one by one. */
const HOLES_MAX = 5

/** A chart of one gauge with its summary, its table and its picture. */
export function GaugeSection({ shown, of, gauge, stats, series, before, others, each }: Props) {
  const { address, view, zone, range, nowMs } = shown
  const figure = useRef<HTMLElement>(null)
  const title = titleOf(gauge.name)
  const drawn = useMemo(
    () => (series === null ? null : drawing(series, { range, nowMs, gauge, of, before, others, each })),
    [series, before, others, each?.page, gauge.name],
  )
  const zoom = (fromMs: number, toMs: number) => {
    const from = Math.floor(fromMs / MINUTE_MS) * MINUTE_MS
    const to = Math.max(Math.ceil(toMs / MINUTE_MS) * MINUTE_MS, from + 2 * view.bucket_ms)
    go(withParams(address, newRange(rangeParams({ fromMs: from, toMs: to, last: null }, zone))), {
      zoom: zooms() + 1,
    })
  }
  const summary = summaryOf(title, gauge, stats, view, zone)
  return (
    <section class="chart-section" aria-label={title}>
      <div class="bar">
        <h2>{title}</h2>
        <button
          type="button"
          class="link"
          onClick={() =>
            savePicture(
              figure.current!,
              `${title} of ${of.map(isolated).join(' · ')}, ${rangeText(range, zone)}, ${zone}`,
              `${of.join('-')}-${gauge.name}`,
            )
          }
        >
          PNG<span class="sr"> of {title}</span>
        </button>
      </div>
      <figure ref={figure} class="card">
        {drawn === null ? (
          <div class="chart" />
        ) : (
          <Chart
            label={`${title} over time. ${summary}`}
            t={drawn.t}
            lines={drawn.lines}
            holes={drawn.holes}
            fromMs={range.fromMs}
            toMs={range.toMs}
            unit={gauge.unit}
            zone={zone}
            whole={gauge.unit === '%' && address.params.get('axis') !== 'fit'}
            onZoom={zoom}
          />
        )}
        <figcaption>
          {summary} {series !== null && `A point is ${lengthText(series.step_ms)}.`} {eachText(each)}{' '}
          {drawn !== null && gapsText(drawn, zone, gauge.optional ? 'values' : 'messages')}
        </figcaption>
      </figure>
      <BucketTable shown={shown} of={of} gauge={gauge} />
      {drawn !== null && (before ?? others ?? each) !== null && (
        <LinesTable {...{ title, ...drawn, zone }} stepMs={series!.step_ms} unit={gauge.unit} />
      )}
    </section>
  )
}

function summaryOf(
  title: string,
  { name, unit }: Gauge,
  stats: Stats | null,
  view: View,
  zone: string,
): string {
  const { mean, max, max_time: time, p95, ...rest } = figures(stats ?? {}, name)
  if (mean === null || mean === undefined)
    return stats === null ? '' : `${title} was not measured in this range.`
  const source = rest[`max_${view.source}`]
  const below = p95 === undefined ? '' : `, 95 % below ${valueText(p95 as number, unit)}`
  const where = source ? ` on ${isolated(String(source))}` : ''
  return `${title} was ${valueText(mean as number, unit)} in the mean${below}, highest at ${valueText(max as number, unit)}${where}, ${moment(Date.parse(String(time)), zone)}.`
}

/** Of more lines than can be told apart, which are drawn. */
function eachText(each: Props['each']): string {
  if (each === null || each.page.next === undefined) return ''
  const { keys, total } = each.page
  const [what, first] = [each.view.key.at(-1)!, each.view.gauges[0]!.name]
  return `Drawn are ${keys.length} of ${total} ${titleOf(what).toLowerCase()}s: those with the highest ${titleOf(first)}.`
}

/** Stretches without messages or values, in words. */
function gapsText(
  { holes, beginsMs }: { readonly holes: readonly Hole[]; readonly beginsMs: number | null },
  zone: string,
  what: string,
): string {
  const before = beginsMs === null ? '' : `No ${what} before ${minute(beginsMs, zone)}.`
  if (holes.length === 0) return before
  const named = holes
    .slice(0, HOLES_MAX)
    .map(({ fromMs, toMs }) => `${minute(fromMs, zone)} for ${lengthText(toMs - fromMs)}`)
  const more = holes.length > HOLES_MAX ? `; and ${holes.length - HOLES_MAX} more times` : ''
  return `${before} No ${what} from ${named.join('; ')}${more}.`
}

type About = Pick<Props, 'gauge' | 'of' | 'before' | 'others' | 'each'> & Pick<Shown, 'range' | 'nowMs'>

/** What is drawn: the band, mean and p95 of the key, or means alone where it is compared. */
function drawing(series: Series, { range, nowMs, gauge, of, before, others, each }: About) {
  const { step_ms: stepMs } = series
  const t = series.t.map((time) => Math.max(Date.parse(time), range.fromMs))
  // A gauge that may be absent comes less often than messages do.
  const held = gauge.optional
    ? column(series, gauge.name, 'mean').map((mean) => (mean === null ? null : 1))
    : series.messages
  const { drawn, holes } = holesOf(t, held, stepMs, Math.min(range.toMs, nowMs))
  const all = before || others || each ? t.map((_, i) => i) : drawn
  const pick = (values: readonly (number | null)[]) => all.map((i) => values[i] ?? null)
  const of_ = (field: string) => pick(column(series, gauge.name, field))
  const mean: Line = {
    name: before || others ? `${of.at(-1)}, mean` : 'Mean',
    values: of_('mean'),
    kind: 'mean',
  }
  const lines: Line[] = []
  if (each !== null)
    lines.push(
      ...each.page.keys
        .map(
          (row): Line => ({
            name: keyOf(each.view, row).at(-1)!,
            values: pick(column(row, gauge.name, 'mean')),
            kind: 'other',
          }),
        )
        .sort((a, b) => compareNames(a.name, b.name)),
    )
  else if (others !== null)
    lines.push(
      { ...mean, kind: 'other' },
      ...others.map(
        (other): Line => ({
          name: `${other.name}, mean`,
          values: pick(column(other.series, gauge.name, 'mean')),
          kind: 'other',
        }),
      ),
    )
  else {
    const hasBand = column(series, gauge.name, 'min').length > 0
    if (hasBand)
      lines.push(
        { name: 'Maximum', values: of_('max'), kind: 'high' },
        { name: 'Minimum', values: of_('min'), kind: 'low' },
      )
    lines.push(mean)
    if (column(series, gauge.name, 'p95').length > 0 && before === null)
      lines.push({ name: '95 % below', values: of_('p95'), kind: 'p95' })
    if (before !== null)
      lines.push({
        name: 'Period before, mean',
        values: pick(shifted(before, series, range, gauge.name)),
        kind: 'before',
      })
  }
  const begins = t[held.findIndex((one) => one)] ?? range.fromMs
  const beginsMs = begins - range.fromMs >= LATE_STEPS * stepMs ? begins : null
  return { t: all.map((i) => t[i]!), lines, holes, beginsMs }
}

/** Values of the period before in the places of this one. */
function shifted(before: Series, series: Series, range: Shown['range'], gauge: string): (number | null)[] {
  const values = series.t.map((): number | null => null)
  const lengthMs = range.toMs - range.fromMs
  const begin = Date.parse(series.t[0]!)
  for (const [i, value] of column(before, gauge, 'mean').entries()) {
    const place = Math.round((Date.parse(before.t[i]!) + lengthMs - begin) / series.step_ms)
    if (place >= 0 && place < values.length) values[place] = value
  }
  return values
}
