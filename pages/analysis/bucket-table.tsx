import { useState } from 'preact/hooks'
import { figures, type Gauge, keyId } from '../api/types.ts'
import { useAnswer } from '../api/use-answer.ts'
import { Name } from '../names/name.tsx'
import { titleOf } from '../names/visible.ts'
import type { Shown } from '../shell/context.ts'
import { Scroll } from '../shell/scroll.tsx'
import { stepName } from '../time/buckets.ts'
import { count, day, minute, moment, valueText } from '../time/words.ts'
import { FigureHeads } from './figure-heads.tsx'
import { askBuckets, tableStep } from './questions.ts'

/** What a chart shows as exact figures, a row a bucket of the zone's own time. */
export function BucketTable({ shown, of, gauge }: { shown: Shown; of: readonly string[]; gauge: Gauge }) {
  const { view, zone, range } = shown
  const [open, setOpen] = useState(false)
  const about = `${view.name} ${keyId(of)} ${range.fromMs} ${range.toMs} ${zone}`
  const rows = useAnswer(open ? about : null, (signal) => askBuckets(view, of, range, zone, signal))
  const step = tableStep(range, view)
  const isLong = step.unit !== 'minute' && step.unit !== 'hour'
  const hasQuantiles = view.measures.includes('quantiles')
  return (
    <details onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}>
      <summary>{titleOf(gauge.name)} as a table</summary>
      {rows.error !== null && <p>{rows.error.message}</p>}
      {rows.data !== null && (
        <Scroll label={`${titleOf(gauge.name)}, every ${stepName(step)}`}>
          <table class="buckets">
            <thead>
              <tr>
                <th scope="col">From ({stepName(step)} each)</th>
                <FigureHeads view={view} />
                <th scope="col" class="number">
                  Messages
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.data.map(({ bucket, stats }) => {
                const row = figures(stats, gauge.name)
                const source = row[`max_${view.source}`]
                return (
                  <tr key={bucket.fromMs}>
                    <th scope="row">
                      {isLong && !bucket.partial ? day(bucket.fromMs, zone) : minute(bucket.fromMs, zone)}
                      {bucket.partial && <small class="part"> in part, to {minute(bucket.toMs, zone)}</small>}
                    </th>
                    <td class="number">{valueText(row.mean as number | null, gauge.unit)}</td>
                    {hasQuantiles && (
                      <td class="number">{valueText(row.p95 as number | null, gauge.unit)}</td>
                    )}
                    <td class="number">{valueText(row.max as number | null, gauge.unit)}</td>
                    <td>{row.max_time ? moment(Date.parse(String(row.max_time)), zone) : '–'}</td>
                    {view.source !== null && <td>{source ? <Name name={String(source)} /> : '–'}</td>}
                    <td class="number">{count(stats.messages)}</td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </Scroll>
      )}
    </details>
  )
}
