import { useState } from 'preact/hooks'
import type { Line } from '../charts/chart.tsx'
import { Name } from '../names/name.tsx'
import { Scroll } from '../shell/scroll.tsx'
import { lengthText, minute, valueText } from '../time/words.ts'

interface Props {
  readonly title: string
  readonly t: readonly number[]
  readonly lines: readonly Line[]
  readonly stepMs: number
  readonly unit: string
  readonly zone: string
}

/** A chart that compares, as the figures that it draws: a column a line, a row a point. */
export function LinesTable({ title, t, lines, stepMs, unit, zone }: Props) {
  const [open, setOpen] = useState(false)
  const held = [...t.keys()].filter((i) => lines.some(({ values }) => values[i] !== null))
  return (
    <details onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}>
      <summary>{title}, line by line</summary>
      {open && (
        <Scroll label={`${title} of every line, every ${lengthText(stepMs)}`}>
          <table class="lines">
            <thead>
              <tr>
                <th scope="col">From ({lengthText(stepMs)} each)</th>
                {lines.map(({ name }) => (
                  <th key={name} scope="col" class="number">
                    <Name name={name} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {held.map((i) => (
                <tr key={t[i]}>
                  <th scope="row">{minute(t[i]!, zone)}</th>
                  {lines.map(({ name, values }) => (
                    <td key={name} class="number">
                      {valueText(values[i], unit)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </details>
  )
}
