import { figures, type Stats } from '../api/types.ts'
import { Name } from '../names/name.tsx'
import { titleOf } from '../names/visible.ts'
import type { Shown } from '../shell/context.ts'
import { Scroll } from '../shell/scroll.tsx'
import { moment, valueText } from '../time/words.ts'
import { FigureHeads } from './figure-heads.tsx'

interface Props {
  readonly shown: Shown
  readonly of: readonly string[]
  readonly stats: Stats | null
  /** The same of the period that it is compared with. */
  readonly before: Stats | null
}

/** The figures of every gauge of one key over a range, and below each what it was before. */
export function KeyFigures({ shown, of, stats, before }: Props) {
  const { view, zone } = shown
  const hasQuantiles = view.measures.includes('quantiles')
  return (
    <Scroll label="Figures of the range">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Gauge</th>
            <FigureHeads view={view} />
            <th scope="col" class="number">
              Minimum
            </th>
          </tr>
        </thead>
        <tbody>
          {view.gauges.map(({ name, unit }) => {
            const row = figures(stats ?? {}, name)
            const old = figures(before ?? {}, name)
            const figure = (field: string) => (
              <td class="number">
                <span data-figure={`${of.join('/')}/${name}/${field}`}>
                  {valueText(row[field] as number | null, unit)}
                </span>
                {before !== null && (
                  <small class="before" data-before={`${name}/${field}`}>
                    before {valueText(old[field] as number | null, unit)}
                  </small>
                )}
              </td>
            )
            const source = row[`max_${view.source}`]
            return (
              <tr key={name}>
                <th scope="row">{titleOf(name)}</th>
                {figure('mean')}
                {hasQuantiles && figure('p95')}
                {figure('max')}
                <td data-figure={`${of.join('/')}/${name}/max_time`}>
                  {row.max_time ? moment(Date.parse(String(row.max_time)), zone) : '–'}
                </td>
                {view.source !== null && <td>{source ? <Name name={String(source)} /> : '–'}</td>}
                {figure('min')}
              </tr>
            )
          })}
        </tbody>
      </table>
    </Scroll>
  )
}
