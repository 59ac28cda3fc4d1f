import { useEffect, useRef, useState } from 'preact/hooks'
import { pathOf } from '../api/client.ts'
import { keyParams } from '../api/types.ts'
import { Sparkline } from '../charts/sparkline.tsx'
import { KeyName, Name } from '../names/name.tsx'
import { SortHead } from '../names/sort-head.tsx'
import type { Sorting } from '../names/sorting.ts'
import { titleOf } from '../names/visible.ts'
import type { Shown } from '../shell/context.ts'
import { Scroll } from '../shell/scroll.tsx'
import { dateOf } from '../time/range.ts'
import { clock, lengthText, valueText } from '../time/words.ts'
import { lastText, type Row, sparkMs } from './rows.ts'

const ROW_PX = 44
/** Rows above and below the window that are there too. */
const AROUND = 12
/** As many rows are simply written. */
const ALL_MAX = 150
const DAY_MS = 86_400_000

interface Props {
  readonly shown: Shown
  readonly rows: readonly Row[]
  readonly sorting: Sorting
  readonly onSort: (sort: string) => void
}

/** The dense table of the home page; of very many rows only those near the window are in the document. */
export function ServicesTable({ shown, rows, sorting, onSort }: Props) {
  const { view } = shown
  const body = useRef<HTMLTableSectionElement>(null)
  const [from, to] = useNear(rows.length, body)
  const head = { sorting, onSort }
  const first = view.gauges[0]!
  const columns = 5 + view.gauges.length
  return (
    <Scroll label="Newest figures">
      <table class="services" aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            <SortHead by="name" {...head}>
              {view.key.map(titleOf).join(', ')}
            </SortHead>
            <SortHead by="state" {...head}>
              State
            </SortHead>
            <th scope="col" class="spark-head">
              {titleOf(first.name)}, last {lengthText(sparkMs(view)).replace(/^1 /, '')}
            </th>
            {view.gauges.map(({ name }, g) => (
              <SortHead key={name} by={`now.${g}`} number {...head}>
                {`${titleOf(name)} now`}
              </SortHead>
            ))}
            <SortHead by="peak" number {...head}>
              {`${titleOf(first.name)} peak today`}
            </SortHead>
            <SortHead by="last" number {...head}>
              Last message
            </SortHead>
          </tr>
        </thead>
        <tbody ref={body}>
          {from > 0 && (
            <tr>
              <td colSpan={columns} style={{ height: `${from * ROW_PX}px`, padding: 0 }} />
            </tr>
          )}
          {rows.slice(from, to).map((row, i) => (
            <ServiceRow key={row.id} row={row} shown={shown} index={from + i + 2} />
          ))}
          {to < rows.length && (
            <tr>
              <td colSpan={columns} style={{ height: `${(rows.length - to) * ROW_PX}px`, padding: 0 }} />
            </tr>
          )}
        </tbody>
      </table>
    </Scroll>
  )
}

function ServiceRow({ row, shown, index }: { row: Row; shown: Shown; index: number }) {
  const { view, zone } = shown
  const first = view.gauges[0]!
  return (
    <tr
      aria-rowindex={index}
      data-key={row.text}
      data-state={row.state}
      class={row.fell ? 'fell' : undefined}
    >
      <th scope="row">
        <a class="row" href={linkOf(row, shown)}>
          <KeyName values={row.key} />
        </a>
        <span class="small-state" aria-hidden="true">
          {row.state}
        </span>
      </th>
      <td>
        <span class={`state ${row.state}`}>{row.state}</span>
      </td>
      <td class="spark-cell">
        <Sparkline values={row.spark} unit={first.unit} />
      </td>
      {view.gauges.map(({ name, unit }, g) => {
        const value = row.now[g] ?? null
        return (
          <td key={name} class={row.busy[g] ? 'number now high' : 'number now'}>
            {valueText(value, unit)}
            {row.busy[g] && <span class="sr"> (higher than usual)</span>}
            {unit === '%' && value !== null && <meter min={0} max={100} value={value} aria-hidden="true" />}
          </td>
        )
      })}
      <td class="number peak">
        {row.hasDay && valueText(row.peak?.value, first.unit)}
        {row.peak !== null && (
          <small>
            {row.peak.source !== null && <Name name={row.peak.source} />}{' '}
            <span>{clock(Date.parse(row.peak.time), zone)}</span>
          </small>
        )}
      </td>
      <td class="number quiet-text">{lastText(row.lastMs, view, Math.max(shown.nowMs, row.lastMs))}</td>
    </tr>
  )
}

/** A link always leads to data: of what is silent for long to the week of its last message. */
function linkOf({ key, lastMs }: Row, { view, zone, address, nowMs }: Shown): string {
  const range =
    nowMs - lastMs < DAY_MS / 2
      ? { last: '24h' }
      : { from: dateOf(lastMs - 6 * DAY_MS, zone), to: dateOf(lastMs, zone) }
  const tz = address.params.get('tz') ?? undefined
  return pathOf('/analysis', { ...range, tz, view: view.name, ...keyParams(view, key) })
}

/** The rows `[from, to)` that are near the window. */
function useNear(rows: number, body: { current: HTMLElement | null }): readonly [number, number] {
  const [near, setNear] = useState<readonly [number, number]>([0, 60])
  useEffect(() => {
    if (rows <= ALL_MAX) return
    const look = () => {
      const top = body.current?.getBoundingClientRect().top ?? 0
      const from = Math.max(0, Math.floor(-top / ROW_PX) - AROUND)
      const to = Math.ceil((window.innerHeight - top) / ROW_PX) + AROUND
      setNear((before) => (before[0] === from && before[1] === to ? before : [from, to]))
    }
    look()
    window.addEventListener('scroll', look, { passive: true })
    window.addEventListener('resize', look)
    return () => {
      window.removeEventListener('scroll', look)
      window.removeEventListener('resize', look)
    }
  }, [rows])
  return rows <= ALL_MAX ? [0, rows] : [Math.min(near[0], rows), Math.min(near[1], rows)]
}
