import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useLive } from '../api/live.ts'
import { sorted, sortingOf } from '../names/sorting.ts'
import { compareNames, titleOf } from '../names/visible.ts'
import { go, withParams } from '../shell/address.ts'
import type { Shown } from '../shell/context.ts'
import { Search, ViewChoice } from '../shell/find.tsx'
import { Incomplete, Lost, Problem } from '../shell/notice.tsx'
import { RangePicker } from '../shell/range-picker.tsx'
import { newsTitle } from '../shell/title.ts'
import { count } from '../time/words.ts'
import { KEYS_MAX, useHome } from './asked.ts'
import { FirstMinute } from './first-minute.tsx'
import { useHeldOrder } from './held-order.ts'
import { rowsOf, STATES, sortValue } from './rows.ts'
import { ServicesTable } from './table.tsx'

/** So long rows wait for their places. */
const PLACES_MS = 400

export function HomePage({ shown }: { shown: Shown }) {
  const { address, views, view, zone, range, nowMs } = shown
  const [wanted, setWanted] = useState(address.params.get('q') ?? '')
  const isMany = useRef(false)
  // Where one page does not hold all of them, the API searches.
  const q = isMany.current && wanted.trim() !== '' ? wanted.trim() : undefined
  const { keys, day, hour, week, isEmpty } = useHome(view, zone, q)
  if ((keys.data?.total ?? 0) > KEYS_MAX) isMany.current = true
  const { newest, whole, lost } = useLive(view)
  const sorting = sortingOf(address.params.get('sort'), 'state')
  const rows = useMemo(
    () =>
      rowsOf(
        view,
        {
          keys: keys.data?.keys ?? [],
          day: day.data?.keys ?? null,
          week: week.data?.keys ?? [],
          hour: hour.data,
          newest,
          whole,
        },
        Date.now(),
      ),
    [view, keys.data, day.data, week.data, hour.data, newest, whole],
  )
  const state = STATES.find((one) => one === address.params.get('only')) ?? null
  const part = wanted.trim().toLowerCase()
  const found = rows.filter(
    (row) => (state === null || row.state === state) && row.text.toLowerCase().includes(part),
  )
  const inOrder = sorted(
    sorted(found, { by: 'name', falling: false }, sortValue, compareNames),
    sorting,
    sortValue,
    compareNames,
  )
  const held = useHeldOrder(inOrder, `${view.name} ${sorting.by} ${sorting.falling} ${state} ${part}`)
  // Rows have their places once it is known which are busy; slow networks are not waited for.
  const waited = useWaited(PLACES_MS, view.name)
  const isPlaced = week.data !== null || week.error !== null || !view.measures.includes('quantiles')
  const isReady = isEmpty || (keys.data !== null && (isPlaced || waited))
  const total = q === undefined ? Math.max(rows.length, keys.data?.total ?? 0) : rows.length
  const what = titleOf(view.key.at(-1)!).toLowerCase()
  const fell = rows.filter((row) => row.fell).length
  const busy = rows.filter((row) => row.state === 'busy').length
  const title = newsTitle(fell, busy)
  useEffect(() => {
    document.title = title
    return () => {
      document.title = newsTitle(0, 0)
    }
  }, [title])

  const search = (text: string) => {
    setWanted(text)
    go(withParams(address, { q: text === '' ? null : text }), { replace: true })
  }
  return (
    <>
      <h1 class="sr">Tidemark</h1>
      <Lost lost={lost || (keys.error !== null && (keys.error as { status?: number }).status === 0)} />
      <RangePicker address={address} zone={zone} range={range} nowMs={nowMs} />
      <Problem error={keys.error} />
      <Incomplete whole={keys.data} zone={zone} />
      {rows.length === 0 && isEmpty ? (
        <FirstMinute />
      ) : (
        <section>
          <div class="bar">
            <h2>
              <span aria-live="polite" aria-atomic="true">
                {found.length < rows.length && `${count(found.length)} of `}
                {keys.data === null && total === 0 ? '' : count(total)} {what}
                {total === 1 ? '' : 's'}
              </span>
            </h2>
            <nav class={fell > 0 ? 'states fell' : 'states'} aria-label="States">
              {STATES.map((one) => (
                <a
                  key={one}
                  class={`state ${one}`}
                  href={withParams(address, { only: state === one ? null : one })}
                  aria-current={state === one ? 'true' : undefined}
                >
                  {count(rows.filter((row) => row.state === one).length)} {one}
                </a>
              ))}
            </nav>
            <ViewChoice
              views={views}
              view={view}
              onChoose={(name) => {
                setWanted('')
                go(withParams(address, { view: name, sort: null, q: null, only: null }))
              }}
            />
            <Search value={wanted} onSearch={search} />
          </div>
          <div {...held.hold}>
            <ServicesTable
              shown={shown}
              rows={isReady ? held.rows : []}
              sorting={sorting}
              onSort={(sort) => go(withParams(address, { sort }), { replace: true })}
            />
          </div>
          {isReady && inOrder.length === 0 && (
            <p class="lead">
              {part === '' ? `No ${what} is ${state}.` : `No ${state ?? ''} ${what} is named like that.`}{' '}
              {state !== null && <a href={withParams(address, { only: null })}>Show all</a>}
            </p>
          )}
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

/** Whether so much time has passed with one `about`. */
function useWaited(ms: number, about: string): boolean {
  const [waited, setWaited] = useState<string | null>(null)
  useEffect(() => {
    const timer = window.setTimeout(() => setWaited(about), ms)
    return () => window.clearTimeout(timer)
  }, [about])
  return waited === about
}
