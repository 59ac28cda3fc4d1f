import { ask, pathOf } from '../api/client.ts'
import {
  column,
  figures,
  keyId,
  keyOf,
  keyParams,
  type Page,
  type SeriesPage,
  type Stats,
} from '../api/types.ts'
import { useAnswer } from '../api/use-answer.ts'
import { HeatMap } from '../charts/heat-map.tsx'
import { KeyName, Name } from '../names/name.tsx'
import { SortHead } from '../names/sort-head.tsx'
import { sorted, sortingOf } from '../names/sorting.ts'
import { compareNames, titleOf, visible } from '../names/visible.ts'
import { go, withParams } from '../shell/address.ts'
import type { Shown } from '../shell/context.ts'
import { Incomplete, Lost, Notice } from '../shell/notice.tsx'
import { Scroll } from '../shell/scroll.tsx'
import { count, lengthText, moment, rangeText, valueText } from '../time/words.ts'
import { Elsewhere } from './elsewhere.tsx'

/** One page of the API. */
const KEYS_MAX = 1_000
/** Rows of the heat map; the table has all. */
const HEAT_ROWS_MAX = 40
const HEAT_BUCKETS = 96

type Counted = Page & { readonly keys: readonly Stats[] }

/** All keys of a view over a range: which was highest, when, and where. */
export function Overview({ shown }: { shown: Shown }) {
  const { address, view, zone, range } = shown
  const gauge = view.gauges.find(({ name }) => name === address.params.get('gauge')) ?? view.gauges[0]!
  const sorting = sortingOf(address.params.get('sort'), '-max')
  const path = `/v1/views/${view.name}`
  const about = { from: range.fromMs, to: range.toMs }
  const all = useAnswer(`${path} ${range.fromMs} ${range.toMs}`, (signal) =>
    ask<Counted>(`${path}/analytics`, { ...about, limit: KEYS_MAX }, signal),
  )
  const heat = useAnswer(`${path} ${range.fromMs} ${range.toMs} ${gauge.name}`, (signal) => {
    const step = heatStep(range.toMs - range.fromMs, view.bucket_ms)
    const sort = `-${gauge.name}.max`
    return ask<SeriesPage>(
      `${path}/series`,
      { ...about, step, sort, limit: HEAT_ROWS_MAX, fields: `${gauge.name}.mean` },
      signal,
    )
  })
  const value = (row: Stats, by: string): string | number | null => {
    if (by === 'name') return keyOf(view, row).map(visible).join(' · ')
    if (by === 'messages') return row.messages
    if (by === 'source') return figures(row, gauge.name)[`max_${view.source}`] ?? null
    return figures(row, gauge.name)[by] ?? null
  }
  const rows = sorted(
    sorted(all.data?.keys ?? [], { by: 'name', falling: false }, value, compareNames),
    sorting,
    value,
    compareNames,
  )
  const messages = rows.reduce((sum, row) => sum + row.messages, 0)
  const what = titleOf(view.key.at(-1)!).toLowerCase()
  const hasQuantiles = view.measures.includes('quantiles')
  const head = { sorting, onSort: (sort: string) => go(withParams(address, { sort }), { replace: true }) }
  const top = rows.length === 0 ? null : sorted(rows, { by: 'max', falling: true }, value, compareNames)[0]!
  return (
    <>
      <Lost lost={(all.error as { status?: number } | null)?.status === 0} />
      <h1>{rangeText(range, zone)}</h1>
      <p class="lead" data-loaded={all.data !== null && !all.loading}>
        {all.data === null
          ? ' '
          : `${count(messages)} messages of ${count(rows.length)} ${what}${rows.length === 1 ? '' : 's'}; times in ${zone}.`}
      </p>
      {all.error !== null && (all.error as { status?: number }).status !== 0 && (
        <Notice>{all.error.message}</Notice>
      )}
      <Incomplete whole={all.data} zone={zone} />
      {all.data !== null && rows.length === 0 && <Elsewhere shown={shown} />}
      {rows.length > 0 && (
        <>
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
          <div class="sides">
            <div>
              <Scroll label={`${titleOf(gauge.name)} of every ${what}`}>
                <table class="overview">
                  <thead>
                    <tr>
                      <SortHead by="name" {...head}>
                        {view.key.map(titleOf).join(', ')}
                      </SortHead>
                      <SortHead by="mean" number {...head}>
                        Mean
                      </SortHead>
                      {hasQuantiles && (
                        <SortHead by="p95" number {...head}>
                          95 % below
                        </SortHead>
                      )}
                      <SortHead by="max" number {...head}>
                        Maximum
                      </SortHead>
                      <SortHead by="max_time" {...head}>
                        When
                      </SortHead>
                      {view.source !== null && (
                        <SortHead by="source" {...head}>
                          {titleOf(view.source)}
                        </SortHead>
                      )}
                      <SortHead by="messages" number {...head}>
                        Messages
                      </SortHead>
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((row) => {
                      const key = keyOf(view, row)
                      const of = figures(row, gauge.name)
                      const named = `${key.join('/')}/${gauge.name}`
                      return (
                        <tr key={keyId(key)}>
                          <th scope="row">
                            <a
                              class="row"
                              href={withParams(address, { ...keyParams(view, key), sort: null, gauge: null })}
                            >
                              <KeyName values={key} />
                            </a>
                          </th>
                          <td class="number" data-figure={`${named}/mean`}>
                            {valueText(of.mean as number | null, gauge.unit)}
                          </td>
                          {hasQuantiles && (
                            <td class="number" data-figure={`${named}/p95`}>
                              {valueText(of.p95 as number | null, gauge.unit)}
                            </td>
                          )}
                          <td class="number strong" data-figure={`${named}/max`}>
                            {valueText(of.max as number | null, gauge.unit)}
                          </td>
                          <td data-figure={`${named}/max_time`}>
                            {of.max_time ? moment(Date.parse(String(of.max_time)), zone) : '–'}
                          </td>
                          {view.source !== null && (
                            <td data-figure={`${named}/source`}>
                              {of[`max_${view.source}`] ? (
                                <Name name={String(of[`max_${view.source}`])} />
                              ) : (
                                '–'
                              )}
                            </td>
                          )}
                          <td class="number" data-messages={key.join('/')}>
                            {count(row.messages)}
                          </td>
                        </tr>
                      )
                    })}
                  </tbody>
                </table>
              </Scroll>
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
            <section>
              <h2>{titleOf(gauge.name)} over time</h2>
              {heat.data === null ? (
                <div class="heat-space" />
              ) : (
                <HeatMap
                  title={`${titleOf(gauge.name)} of the ${Math.min(rows.length, HEAT_ROWS_MAX)} with the highest maxima, means of ${lengthText(heat.data.step_ms)}${top === null ? '' : `; the highest value is in the table`}`}
                  t={heat.data.t.map((time) => Math.max(Date.parse(time), range.fromMs))}
                  endMs={range.toMs}
                  rows={heat.data.keys.map((row) => ({
                    key: keyOf(view, row),
                    href: withParams(address, {
                      ...keyParams(view, keyOf(view, row)),
                      sort: null,
                      gauge: null,
                    }),
                    values: column(row, gauge.name, 'mean'),
                  }))}
                  unit={gauge.unit}
                  zone={zone}
                />
              )}
            </section>
          </div>
        </>
      )}
    </>
  )
}

const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440].map((minutes) => minutes * 60_000)

/** The shortest step of the API that makes at most so many buckets. */
function heatStep(lengthMs: number, bucketMs: number): number {
  const step = STEPS_MS.find((ms) => ms % bucketMs === 0 && lengthMs / ms <= HEAT_BUCKETS)
  return step ?? Math.ceil(lengthMs / HEAT_BUCKETS / 86_400_000) * 86_400_000
}
