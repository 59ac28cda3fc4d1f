import { useState } from 'preact/hooks'
import { ask, pathOf } from '../api/client.ts'
import {
  column,
  figures,
  type Gauge,
  keyOf,
  keyParams,
  type Page,
  type SeriesPage,
  type Stats,
} from '../api/types.ts'
import { useAnswer } from '../api/use-answer.ts'
import { HeatMap } from '../charts/heat-map.tsx'
import { sorted, sortingOf } from '../names/sorting.ts'
import { compareNames, titleOf, visible } from '../names/visible.ts'
import { go, withParams } from '../shell/address.ts'
import type { Shown } from '../shell/context.ts'
import { Search, ViewChoice } from '../shell/find.tsx'
import { Incomplete, Lost, Problem } from '../shell/notice.tsx'
import { count, lengthText, rangeText } from '../time/words.ts'
import { Elsewhere } from './elsewhere.tsx'
import { OverviewTable } from './overview-table.tsx'

/** One page of the API. */
const KEYS_MAX = 2_000
/** Rows of the table before all are asked for, so that the heat map is near; and rows of that. */
const [ROWS_FIRST, HEAT_ROWS] = [25, 40]
const HEAT_BUCKETS = 168

type Counted = Page & { readonly keys: readonly Stats[] }

/** All keys of a view over a range: which was highest, when, and where. */
export function Overview({ shown }: { shown: Shown }) {
  const { address, views, view, zone, range } = shown
  const gauge = view.gauges.find(({ name }) => name === address.params.get('gauge')) ?? view.gauges[0]!
  const sorting = sortingOf(address.params.get('sort'), '-max')
  const part = (address.params.get('q') ?? '').trim()
  const [isAll, setAll] = useState(false)
  const path = `/v1/views/${view.name}`
  const about = { from: range.fromMs, to: range.toMs }
  const asking = { subject: view.name }
  // The API finds and orders too: of more keys than a page holds, the first are the right ones.
  const [isMany, setMany] = useState('')
  const paged =
    isMany === view.name
      ? { q: part || undefined, sort: apiSort(sorting, view.key[0]!, view.source, gauge) }
      : {}
  const all = useAnswer(
    `${path} ${JSON.stringify([about, paged])}`,
    async (signal) => {
      const answer = await ask<Counted>(`${path}/analytics`, { ...about, ...paged, limit: KEYS_MAX }, signal)
      if (answer.next !== undefined) setMany(view.name)
      return answer
    },
    asking,
  )
  const heat = useAnswer(
    `${path} ${range.fromMs} ${range.toMs} ${gauge.name} ${part}`,
    (signal) => {
      const step = heatStep(range.toMs - range.fromMs, view.bucket_ms)
      const sort = `-${gauge.name}.max`
      const fields = `${gauge.name}.mean`
      return ask<SeriesPage>(
        `${path}/series`,
        { ...about, step, sort, q: part || undefined, limit: HEAT_ROWS, fields },
        signal,
      )
    },
    asking,
  )
  const value = (row: Stats, by: string): string | number | null => {
    if (by === 'name') return keyOf(view, row).map(visible).join(' · ')
    if (by === 'messages') return row.messages
    if (by === 'source') return figures(row, gauge.name)[`max_${view.source}`] ?? null
    return figures(row, gauge.name)[by] ?? null
  }
  const known = all.data?.keys ?? []
  const found = known.filter((row) => String(value(row, 'name')).toLowerCase().includes(part.toLowerCase()))
  const rows = sorted(
    sorted(found, { by: 'name', falling: false }, value, compareNames),
    sorting,
    value,
    compareNames,
  )
  const total = all.data?.next === undefined ? known.length : all.data.total
  const messages = known.reduce((sum, row) => sum + row.messages, 0)
  const what = titleOf(view.key.at(-1)!).toLowerCase()
  const shownRows = isAll ? rows : rows.slice(0, ROWS_FIRST)
  const keyHref = (key: readonly string[]) =>
    withParams(address, { ...keyParams(view, key), sort: null, gauge: null, q: null })
  const isEmpty = all.data !== null && known.length === 0 && part === ''
  const choice = (
    <ViewChoice
      views={views}
      view={view}
      onChoose={(name) => go(withParams(address, { view: name, sort: null, gauge: null, q: null }))}
    />
  )
  return (
    <>
      <Lost lost={(all.error as { status?: number } | null)?.status === 0} />
      <h1>{rangeText(range, zone)}</h1>
      <p
        class={all.stale ? 'lead stale' : 'lead'}
        data-loaded={all.data !== null && !all.loading && !all.stale}
      >
        {all.data === null || isEmpty
          ? ' '
          : total > known.length
            ? `The first ${count(known.length)} of ${count(total)} ${what}s; search finds the others. Times in ${zone}.`
            : `${count(messages)} messages of ${count(known.length)} ${what}${known.length === 1 ? '' : 's'}; times in ${zone}.`}
      </p>
      <Problem error={all.error} />
      <Incomplete whole={all.data} zone={zone} />
      {isEmpty && (
        <>
          <Elsewhere shown={shown} />
          {choice}
        </>
      )}
      {(known.length > 0 || part !== '') && (
        <div class={all.stale ? 'stale' : undefined} aria-busy={all.stale}>
          <div class="bar">
            <nav class="tabs" aria-label="Gauge">
              {view.gauges.map(({ name }) => (
                <a
                  key={name}
                  href={withParams(address, { gauge: name })}
                  aria-current={name === gauge.name ? 'true' : undefined}
                >
                  {titleOf(name)}
                </a>
              ))}
            </nav>
            {choice}
            <Search
              value={address.params.get('q') ?? ''}
              onSearch={(text) =>
                go(withParams(address, { q: text === '' ? null : text }), { replace: true })
              }
            />
          </div>
          {all.data !== null && rows.length === 0 && <p class="lead">No {what} is named like that.</p>}
          <div class="sides" hidden={rows.length === 0}>
            <div>
              <OverviewTable
                shown={shown}
                gauge={gauge}
                rows={shownRows}
                sorting={sorting}
                onSort={(sort) => go(withParams(address, { sort }), { replace: true })}
                hrefOf={keyHref}
              />
              <div class="under">
                {rows.length > ROWS_FIRST && (
                  <button type="button" class="link" onClick={() => setAll(!isAll)}>
                    {isAll ? `Show the first ${ROWS_FIRST}` : `Show all ${count(rows.length)}`}
                  </button>
                )}
                <p class="downloads">
                  Download{' '}
                  <a href={pathOf(`${path}/analytics`, { ...about, format: 'csv', bom: 1 })} download>
                    CSV
                  </a>{' '}
                  <a href={pathOf(`${path}/analytics`, { ...about, format: 'parquet' })} download>
                    Parquet
                  </a>
                </p>
              </div>
            </div>
            <section>
              <h2>{titleOf(gauge.name)} over time</h2>
              {heat.data === null ? (
                <div class="heat-space" />
              ) : (
                <HeatMap
                  title={`${titleOf(gauge.name)} of the ${count(heat.data.keys.length)} with the highest maxima, means of ${lengthText(heat.data.step_ms)}; the highest value is in the table`}
                  t={heat.data.t.map((time) => Math.max(Date.parse(time), range.fromMs))}
                  endMs={range.toMs}
                  rows={heat.data.keys.map((row) => ({
                    key: keyOf(view, row),
                    href: keyHref(keyOf(view, row)),
                    values: column(row, gauge.name, 'mean'),
                  }))}
                  unit={gauge.unit}
                  zone={zone}
                />
              )}
            </section>
          </div>
        </div>
      )}
    </>
  )
}

/** The order of the table as the API names it. */
function apiSort(
  { by, falling }: { by: string; falling: boolean },
  key: string,
  source: string | null,
  { name }: Gauge,
): string {
  const fields: { readonly [by: string]: string } = {
    name: key,
    messages: 'messages',
    source: `${name}.max_${source}`,
  }
  return `${falling ? '-' : ''}${fields[by] ?? `${name}.${by}`}`
}

const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440].map((minutes) => minutes * 60_000)

/** The shortest step of the API that makes at most so many buckets. */
function heatStep(lengthMs: number, bucketMs: number): number {
  const step = STEPS_MS.find((ms) => ms % bucketMs === 0 && lengthMs / ms <= HEAT_BUCKETS)
  return step ?? Math.ceil(lengthMs / HEAT_BUCKETS / 86_400_000) * 86_400_000
}
