import type { VNode } from 'preact'
import { useMemo } from 'preact/hooks'
import { figures, type Gauge, keyId, keyOf, type Stats } from '../api/types.ts'
import { KeyName, Name } from '../names/name.tsx'
import { SortHead } from '../names/sort-head.tsx'
import type { Sorting } from '../names/sorting.ts'
import { titleOf } from '../names/visible.ts'
import type { Shown } from '../shell/context.ts'
import { Scroll } from '../shell/scroll.tsx'
import { count, moment, valueText } from '../time/words.ts'

interface Props {
  readonly shown: Shown
  readonly gauge: Gauge
  readonly rows: readonly Stats[]
  readonly sorting: Sorting
  readonly onSort: (sort: string) => void
  readonly hrefOf: (key: readonly string[]) => string
}

/** One gauge of every key over a range; totals do not lead. */
export function OverviewTable({ shown, gauge, rows, sorting, onSort, hrefOf }: Props) {
  const { view, zone } = shown
  const what = titleOf(view.key.at(-1)!).toLowerCase()
  const hasQuantiles = view.measures.includes('quantiles')
  const head = { sorting, onSort }
  const about = { view, gauge, zone, hrefOf }
  // A row that is known is moved and not made again: of a thousand that are sorted anew none changes.
  const links = hrefOf(view.key.map(() => ''))
  const known = useMemo(() => new WeakMap<Stats, VNode>(), [view, gauge, zone, links])
  return (
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
            let made = known.get(row)
            if (made === undefined) {
              made = <OverviewRow key={keyId(keyOf(view, row))} row={row} {...about} />
              known.set(row, made)
            }
            return made
          })}
        </tbody>
      </table>
    </Scroll>
  )
}

type RowProps = Pick<Props, 'gauge' | 'hrefOf'> & Pick<Shown, 'view' | 'zone'> & { readonly row: Stats }

function OverviewRow({ row, view, gauge, zone, hrefOf }: RowProps) {
  const key = keyOf(view, row)
  const of = figures(row, gauge.name)
  const named = `${key.join('/')}/${gauge.name}`
  const source = of[`max_${view.source}`]
  return (
    <tr>
      <th scope="row">
        <a class="row" href={hrefOf(key)}>
          <KeyName values={key} />
        </a>
      </th>
      <td class="number" data-figure={`${named}/mean`}>
        {valueText(of.mean as number | null, gauge.unit)}
      </td>
      {view.measures.includes('quantiles') && (
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
        <td data-figure={`${named}/source`}>{source ? <Name name={String(source)} /> : '–'}</td>
      )}
      <td class="number" data-messages={key.join('/')}>
        {count(row.messages)}
      </td>
    </tr>
  )
}
