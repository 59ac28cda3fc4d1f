import { useEffect, useRef, useState } from 'preact/hooks'
import { pathOf } from '../api/client.ts'
import { useLive } from '../api/live.ts'
import { keyOf, keyParams, type View } from '../api/types.ts'
import { SILENT_MS } from '../home/rows.ts'
import { titleOf } from '../names/visible.ts'
import { go, withParams } from '../shell/address.ts'
import type { Shown } from '../shell/context.ts'
import { Search, ViewChoice } from '../shell/find.tsx'
import { Heads } from '../shell/heads.tsx'
import { Lost } from '../shell/notice.tsx'
import { Scroll } from '../shell/scroll.tsx'
import { count, lengthText } from '../time/words.ts'
import { Moves } from './moves.ts'
import { LiveRowOf } from './row.tsx'
import { finerOf, type LiveRow, liveRows } from './rows.ts'

/** Rows that are shown; search finds the others. */
const ROWS_MAX = 300
const HOUR_MS = 3_600_000

/** The open cells as they move: of every key, and below it by the finer view of its dataset. */
export function LivePage({ shown }: { shown: Shown }) {
  const { address, views, view } = shown
  const finer = finerOf(view, views)
  const coarse = useLive(view)
  const fine = useLive(finer)
  const nowMs = useSecond()
  const moves = useMoves(view, coarse.newest, nowMs)
  const fineMoves = useMoves(finer, fine.newest, nowMs)
  const part = (address.params.get('q') ?? '').trim().toLowerCase()
  const all = liveRows({ view, newest: coarse.newest }, finer && { view: finer, newest: fine.newest }, {
    part,
    sinceMs: nowMs - SILENT_MS,
  })
  const keys = all.filter(({ isFine }) => !isFine).length
  const lost = coarse.lost || fine.lost
  return (
    <>
      <h1>Live</h1>
      <Lost lost={lost} />
      <div class="bar">
        <p class="lead" role="status">
          {keys === 0
            ? part === ''
              ? 'Nothing has come within five minutes; what comes appears here by itself.'
              : `None of the ${plural(view)} that send is named like that.`
            : `The current ${lengthText(view.bucket_ms).replace(/^1 /, '')} of ${count(keys)} ${plural(view, keys)}, as it fills.`}
        </p>
        <ViewChoice
          views={views}
          view={view}
          onChoose={(name) => go(withParams(address, { view: name, q: null }))}
        />
        <Search
          value={address.params.get('q') ?? ''}
          onSearch={(text) => go(withParams(address, { q: text === '' ? null : text }), { replace: true })}
        />
      </div>
      {keys === 0 && part === '' && (
        <p class="lead">
          <a href="/">Home</a> says which {plural(view)} are silent and since when, or how to send the first
          message; <a href="/system">System</a>, where messages stick.
        </p>
      )}
      {all.length > 0 && (
        <Scroll label="Open cells">
          <table class="live">
            <Heads
              columns={[
                (finer ?? view).key.map(titleOf).join(', '),
                'Newest',
                `${titleOf(view.gauges[0]!.name)}, as it comes`,
                ...view.gauges.map(({ name }) => [`${titleOf(name)}, mean`, 'number'] as const),
                ['Messages', 'number'],
                'Since',
              ]}
            />
            <tbody>
              {all.slice(0, ROWS_MAX).map((row) => (
                <LiveRowOf
                  key={`${row.view.name} ${row.id}`}
                  row={row}
                  move={(row.isFine ? fineMoves : moves)?.of(row.id)}
                  nowMs={nowMs}
                  zone={shown.zone}
                  href={linkOf(row, address.params.get('tz') ?? undefined)}
                />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {all.length > ROWS_MAX && (
        <p class="lead">
          The first {count(ROWS_MAX)} of {count(all.length)} rows; search finds the others.
        </p>
      )}
    </>
  )
}

/** The analysis of a key's newest cells. */
const linkOf = ({ view, cell }: LiveRow, tz: string | undefined) =>
  pathOf('/analysis', {
    last: view.bucket_ms < HOUR_MS ? '1h' : '7d',
    tz,
    view: view.name,
    ...keyParams(view, keyOf(view, cell)),
  })

const plural = (view: View, n = 2) => `${titleOf(view.key.at(-1)!).toLowerCase()}${n === 1 ? '' : 's'}`

/** Now, every second. */
function useSecond(): number {
  const [nowMs, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 1_000)
    return () => window.clearInterval(timer)
  }, [])
  return nowMs
}

/** How the cells of a view moved, of its first gauge. */
function useMoves(
  view: View | null,
  newest: ReturnType<typeof useLive>['newest'],
  nowMs: number,
): Moves | null {
  const kept = useRef<{ view: string; moves: Moves } | null>(null)
  if (view === null) return null
  if (kept.current?.view !== view.name) kept.current = { view: view.name, moves: new Moves(view.gauges[0]!) }
  kept.current.moves.look(newest, Math.max(nowMs, Date.now()))
  return kept.current.moves
}
