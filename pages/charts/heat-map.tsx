import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Name } from '../names/name.tsx'
import { visible } from '../names/visible.ts'
import { go } from '../shell/address.ts'
import { THEME_CHANGED } from '../shell/theme.ts'
import { minute, valueText } from '../time/words.ts'
import { placeOn, scaleOf } from './scale.ts'
import { ticksOf } from './ticks.ts'

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

/** Opacity of the lowest value and of the highest. */
const [FAINT, FULL] = [0.06, 1]
/** Marks from there on have no room beside them: on a phone, and on any screen. */
const [LATE, END] = [0.66, 0.92]
const placeOf = (at: number) => (at > END ? 'late end' : at > LATE ? 'late' : undefined)

/**
 * Keys over time: the darker, the higher. A click on a row opens its key, as the names beside it do.
 */
export function HeatMap({ title, t, endMs, rows, unit, zone }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [at, setAt] = useState<{ row: HeatRow; bucket: number } | null>(null)
  const scale = useMemo(
    () =>
      scaleOf(
        rows.flatMap(({ values }) => values),
        unit,
      ),
    [rows, unit],
  )
  useEffect(() => {
    const draw = () => {
      const element = canvas.current!
      const ratio = window.devicePixelRatio || 1
      const [width, height] = [element.clientWidth, element.clientHeight]
      const tall = height / rows.length
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
          pen.globalAlpha = FAINT + (FULL - FAINT) * placeOn(scale, value)
          const left = Math.floor(x * each)
          pen.fillRect(left, y * tall + 1, Math.floor((x + 1) * each) - left, tall - 2)
        }
    }
    draw()
    window.addEventListener('resize', draw)
    window.addEventListener(THEME_CHANGED, draw)
    return () => {
      window.removeEventListener('resize', draw)
      window.removeEventListener(THEME_CHANGED, draw)
    }
  }, [rows, t, scale])
  const rowOf = (event: MouseEvent) => {
    const box = canvas.current!.getBoundingClientRect()
    return rows[Math.floor(((event.clientY - box.top) / box.height) * rows.length)]
  }
  const point = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect()
    const row = rowOf(event)
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
          style={{ height: `calc(${rows.length} * var(--heat-row))` }}
          onPointerMove={point}
          onPointerLeave={() => setAt(null)}
          onClick={(event) => {
            const row = rowOf(event)
            if (row !== undefined) go(row.href)
          }}
        />
        <div class="heat-ticks" aria-hidden="true">
          {ticksOf(t[0] ?? endMs, endMs, zone).map(({ at, text }) => (
            <span key={at} class={placeOf(at)} style={{ '--at': at.toFixed(4) }}>
              {text}
            </span>
          ))}
        </div>
      </div>
      <p class="heat-scale">
        {valueText(scale.low, unit)} <i aria-hidden="true" /> {valueText(scale.high, unit)};{' '}
        <i class="none" aria-hidden="true" /> no messages
      </p>
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
