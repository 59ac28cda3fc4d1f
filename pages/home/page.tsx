import { useMemo, useRef, useState } from 'preact/hooks'
import { ask } from '../api/client.ts'
import { useLive } from '../api/live.ts'
import type { Page, SeriesPage, Stats, Summary } from '../api/types.ts'
import { useAnswer } from '../api/use-answer.ts'
import { sorted, sortingOf } from '../names/sorting.ts'
import { compareNames, titleOf } from '../names/visible.ts'
import { go, withParams } from '../shell/address.ts'
import type { Shown } from '../shell/context.ts'
import { Search, ViewChoice } from '../shell/find.tsx'
import { Incomplete, Lost } from '../shell/notice.tsx'
import { RangePicker } from '../shell/range-picker.tsx'
import { startOfDay } from '../time/range.ts'
import { count } from '../time/words.ts'
import { FirstMinute } from './first-minute.tsx'
import { rowsOf, sortValue } from './rows.ts'
import { ServicesTable } from './table.tsx'

/** Keys that are listed: one page of the API. */
const KEYS_MAX = 2_000
const HOUR_MS = 3_600_000
const EVERY_MS = 15_000
const WEEK_EVERY_MS = 600_000

type Listed = Page & { readonly keys: readonly Summary[] }
type Counted = Page & { readonly keys: readonly Stats[] }

export function HomePage({ shown }: { shown: Shown }) {
  const { address, views, view, zone, range, nowMs } = shown
  const path = `/v1/views/${view.name}`
  const first = view.gauges[0]!.name
  const hasQuantiles = view.measures.includes('quantiles')
  const [wanted, setWanted] = useState(address.params.get('q') ?? '')
  const isMany = useRef(false)
  // Where one page does not hold all of them, the API searches.
  const q = isMany.current && wanted.trim() !== '' ? wanted.trim() : undefined
  const page = { limit: KEYS_MAX, q }
  const keys = useAnswer(`keys ${path} ${q}`, (signal) => ask<Listed>(`${path}/keys`, page, signal), EVERY_MS)
  if ((keys.data?.total ?? 0) > KEYS_MAX) isMany.current = true
  const isEmpty = q === undefined && keys.data !== null && keys.data.keys.length === 0
  const asked = keys.data === null || isEmpty ? null : path
  const day = useAnswer(
    asked && `day ${asked} ${q} ${zone}`,
    (signal) => {
      const now = Date.now()
      return ask<Counted>(`${path}/analytics`, { ...page, from: startOfDay(now, zone), to: now }, signal)
    },
    EVERY_MS,
  )
  const hour = useAnswer(
    asked && `hour ${asked} ${q}`,
    (signal) => {
      const now = Date.now()
      const step = Math.max(60_000, view.bucket_ms)
      const length = Math.max(HOUR_MS, 30 * step)
      const params = { ...page, from: now - length, to: now, step, fields: `${first}.mean` }
      return ask<SeriesPage>(`${path}/series`, params, signal)
    },
    EVERY_MS,
  )
  const week = useAnswer(
    asked && hasQuantiles ? `week ${asked} ${q}` : null,
    (signal) => {
      const now = Date.now()
      return ask<Counted>(`${path}/analytics`, { ...page, from: now - 168 * HOUR_MS, to: now }, signal)
    },
    WEEK_EVERY_MS,
  )
  const { newest, lost } = useLive(view)
  const sorting = sortingOf(address.params.get('sort'), 'name')
  const rows = useMemo(
    () =>
      rowsOf(
        view,
        {
          keys: keys.data?.keys ?? [],
          day: day.data?.keys ?? [],
          week: week.data?.keys ?? [],
          hour: hour.data,
          newest,
        },
        Date.now(),
      ),
    [view, keys.data, day.data, week.data, hour.data, newest],
  )
  const found = rows.filter(({ text }) => text.toLowerCase().includes(wanted.trim().toLowerCase()))
  const inOrder = sorted(
    sorted(found, { by: 'name', falling: false }, sortValue, compareNames),
    sorting,
    sortValue,
    compareNames,
  )
  const silent = rows.filter(({ state }) => state === 'silent').length
  const busy = rows.filter(({ state }) => state === 'busy').length
  const total = q === undefined ? Math.max(rows.length, keys.data?.total ?? 0) : rows.length
  const what = titleOf(view.key.at(-1)!).toLowerCase()

  const search = (text: string) => {
    setWanted(text)
    go(withParams(address, { q: text === '' ? null : text }), { replace: true })
  }
  return (
    <>
      <h1 class="sr">Tidemark</h1>
      <Lost lost={lost || (keys.error !== null && (keys.error as { status?: number }).status === 0)} />
      <RangePicker address={address} zone={zone} range={range} nowMs={nowMs} />
      <Incomplete whole={keys.data} zone={zone} />
      {rows.length === 0 && isEmpty ? (
        <FirstMinute />
      ) : (
        <section>
          <div class="bar">
            <h2>
              {count(total)} {what}
              {total === 1 ? '' : 's'}
            </h2>
            <p class="states">
              <span class="state ok">{count(rows.length - silent - busy)} ok</span>
              <span class="state busy">{count(busy)} busy</span>
              <span class="state silent">{count(silent)} silent</span>
            </p>
            <ViewChoice
              views={views}
              view={view}
              onChoose={(name) => go(withParams(address, { view: name, sort: null, q: null }))}
            />
            <Search value={wanted} onSearch={search} />
          </div>
          <ServicesTable
            shown={shown}
            rows={inOrder}
            sorting={sorting}
            onSort={(sort) => go(withParams(address, { sort }), { replace: true })}
          />
          {keys.data !== null && inOrder.length === 0 && <p class="lead">No {what} is named like that.</p>}
          {(keys.data?.total ?? 0) > KEYS_MAX && (
            <p class="lead">
              The first {count(KEYS_MAX)} of {count(keys.data!.total)} are listed; search finds the others.
            </p>
          )}
        </section>
      )}
    </>
  )
}
