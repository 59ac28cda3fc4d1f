import { useEffect, useRef, useState } from 'preact/hooks'
import { Name } from '../names/name.tsx'
import { visible } from '../names/visible.ts'
import { THEME_CHANGED } from '../shell/theme.ts'
import { minute, valueText } from '../time/words.ts'

interface HeatRow {
  readonly key: readonly string[]
  readonly href: string
  readonly values: readonly (number | null)[]
}

interface Props {
  readonly title: string
  /** Where the buckets begin, and the last one ends. */
  readonly t: readonly number[]
  readonly endMs: number
  readonly rows: readonly HeatRow[]
  readonly unit: string
  readonly zone: string
}

const ROW_PX = 24

/** Keys over time: the darker, the higher. Percent have a fixed scale, all else reaches to the highest value. */
export function HeatMap({ title, t, endMs, rows, unit, zone }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [at, setAt] = useState<{ row: HeatRow; bucket: number } | null>(null)
  const highest =
    unit === '%' ? 100 : Math.max(1e-9, ...rows.flatMap(({ values }) => values.map((value) => value ?? 0)))
  useEffect(() => {
    const draw = () => {
      const element = canvas.current!
      const ratio = window.devicePixelRatio || 1
      const [width, height] = [element.clientWidth, rows.length * ROW_PX]
      element.width = width * ratio
      element.height = height * ratio
      const pen = element.getContext('2d')!
      pen.scale(ratio, ratio)
      const style = getComputedStyle(document.documentElement)
      pen.fillStyle = style.getPropertyValue('--heat')
      const each = width / t.length
      for (const [y, { values }] of rows.entries())
        for (const [x, value] of values.entries()) {
          if (value === null) continue
          pen.globalAlpha = 0.06 + 0.94 * Math.min(1, Math.max(0, value / highest))
          const left = Math.floor(x * each)
          pen.fillRect(left, y * ROW_PX + 1, Math.floor((x + 1) * each) - left, ROW_PX - 2)
        }
    }
    draw()
    window.addEventListener('resize', draw)
    window.addEventListener(THEME_CHANGED, draw)
    return () => {
      window.removeEventListener('resize', draw)
      window.removeEventListener(THEME_CHANGED, draw)
    }
  }, [rows, t])
  const point = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect()
    const row = rows[Math.floor((event.clientY - box.top) / ROW_PX)]
    const bucket = Math.floor(((event.clientX - box.left) / box.width) * t.length)
    setAt(row === undefined || t[bucket] === undefined ? null : { row, bucket })
  }
  return (
    <figure class="heat">
      <div class="heat-body">
        <ul>
          {rows.map(({ key, href }) => (
            <li key={key.join()}>
              <a href={href}>
                <Name name={key.map(visible).join(' · ')} />
              </a>
            </li>
          ))}
        </ul>
        <canvas
          ref={canvas}
          role="img"
          aria-label={title}
          style={{ height: `${rows.length * ROW_PX}px` }}
          onPointerMove={point}
          onPointerLeave={() => setAt(null)}
        />
      </div>
      <div class="heat-ends">
        <span>{minute(t[0] ?? endMs, zone)}</span>
        <span>{minute(endMs, zone)}</span>
      </div>
      <figcaption>
        {at === null ? (
          `${title}.`
        ) : (
          <>
            <Name name={at.row.key.map(visible).join(' · ')} />, {minute(t[at.bucket]!, zone)}:{' '}
            <strong>{valueText(at.row.values[at.bucket], unit)}</strong>
          </>
        )}
      </figcaption>
    </figure>
  )
}
