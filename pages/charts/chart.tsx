import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { visible } from '../names/visible.ts'
import { zooms } from '../shell/address.ts'
import { THEME_CHANGED } from '../shell/theme.ts'
import { axisTexts, clock, minute, valueText, weekday } from '../time/words.ts'
import { wallOf } from '../time/zone.ts'
import type { Hole } from './gaps.ts'

/** One line of a chart. */
export interface Line {
  readonly name: string
  readonly values: readonly (number | null)[]
  /** `low` and `high` are the edges of a band, all else is drawn as a line. */
  readonly kind: 'low' | 'high' | 'mean' | 'p95' | 'before' | 'other'
}

interface Props {
  readonly label: string
  /** Starts of the buckets in milliseconds. */
  readonly t: readonly number[]
  readonly lines: readonly Line[]
  readonly holes: readonly Hole[]
  readonly fromMs: number
  readonly toMs: number
  readonly unit: string
  readonly zone: string
  /** Percent from 0 to 100; else as far as the values reach. */
  readonly whole: boolean
  readonly onZoom: (fromMs: number, toMs: number) => void
}

/** In heights of a line of the page, so that a wall is as readable as a desk. */
const [HEIGHT_EM, LABEL_EM, AXIS_EM, TICK_EM] = [16, 0.8, 4.2, 5.6]
const DRAG_PX_MIN = 8

/** Draws lines over time. Charts of a page share their cursor; a drag over one zooms. */
export function Chart(props: Props) {
  const place = useRef<HTMLDivElement>(null)
  const { t, lines, label } = props
  useEffect(() => {
    const element = place.current!
    const make = () => new uPlot(optionsOf(props, element.clientWidth), dataOf(t, lines), element)
    let plot = make()
    const again = () => {
      plot.destroy()
      plot = make()
    }
    const watch = new ResizeObserver(() =>
      plot.setSize({ width: element.clientWidth, height: HEIGHT_EM * emPx() }),
    )
    watch.observe(element)
    window.addEventListener(THEME_CHANGED, again)
    return () => {
      watch.disconnect()
      window.removeEventListener(THEME_CHANGED, again)
      plot.destroy()
    }
  }, [t, lines, props.zone, props.whole])
  return <div ref={place} class="chart" role="img" aria-label={label} />
}

/** Places of the values without a neighbour: no line leads to them, so that they are drawn as points. */
function alone(values: uPlot.AlignedData[number]): number[] {
  const has = (i: number) => values[i] !== null && values[i] !== undefined
  return Array.from(values.keys()).filter((i) => has(i) && !has(i - 1) && !has(i + 1))
}

/** How the mark of a line in the legend is drawn. */
const DASHES: { readonly [kind: string]: string } = { before: 'dashed', p95: 'dotted' }
const isEdge = (line: Line | undefined) => line?.kind === 'low' || line?.kind === 'high'

const emPx = () => Number.parseFloat(getComputedStyle(document.documentElement).fontSize)

function dataOf(t: readonly number[], lines: readonly Line[]): uPlot.AlignedData {
  return [t.map((ms) => ms / 1_000), ...lines.map(({ values }) => [...values])] as uPlot.AlignedData
}

function optionsOf(
  { lines, holes, fromMs, toMs, unit, zone, whole, onZoom }: Props,
  width: number,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const axis = {
    stroke: colour('--quiet'),
    font: `${Math.round(LABEL_EM * emPx())}px system-ui, sans-serif`,
    grid: { stroke: colour('--grid'), width: 1 },
    ticks: { show: false },
  }
  let others = 0
  const series = lines.map(({ name, kind }): uPlot.Series => {
    const value = (_plot: uPlot, at: number | null) => valueText(at, unit)
    // Isolated, so that a name written from the right turns nothing around it.
    const label = `\u2068${visible(name)}\u2069`
    if (kind === 'low' || kind === 'high')
      return { label, value, width: 0, stroke: colour('--band'), points: { show: false } }
    const own =
      kind === 'other' ? colour(`--line-${others++ % 8}`) : colour(kind === 'mean' ? '--line-0' : `--${kind}`)
    const dash = kind === 'before' ? [6, 4] : kind === 'p95' ? [2, 3] : undefined
    return {
      label,
      value,
      stroke: own,
      width: kind === 'p95' ? 1.2 : 1.8,
      ...(dash && { dash }),
      points: { size: 4, filter: (plot, i, isShown) => (isShown ? null : alone(plot.data[i]!)) },
    }
  })
  const [low, high] = [
    lines.findIndex(({ kind }) => kind === 'low'),
    lines.findIndex(({ kind }) => kind === 'high'),
  ]
  return {
    width,
    height: HEIGHT_EM * emPx(),
    padding: [10, 36, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), zone),
    scales: {
      x: { time: true, range: () => [fromMs / 1_000, toMs / 1_000] },
      y: {
        range: (_plot, min, max) => {
          if (whole) return [0, Math.max(100, (max ?? 0) * 1.02)]
          if (min === null || max === null) return [0, 1]
          const room = (max - min || Math.abs(max) || 1) * 0.08
          return [min >= 0 ? Math.max(0, min - room) : min - room, max + room]
        },
      },
    },
    axes: [
      {
        ...axis,
        values: (_plot, splits) => timeLabels(splits, zone),
        space: TICK_EM * emPx(),
        size: (_plot, values) => (values?.some((text) => text.includes('\n')) ? 3.1 : 2.1) * emPx(),
      },
      {
        ...axis,
        size: AXIS_EM * emPx(),
        values: (_plot, splits) => axisTexts(splits, unit),
      },
    ],
    series: [
      { label: 'Time', value: (_plot, at) => (at === null ? '–' : minute(at * 1_000, zone)) },
      ...series,
    ],
    legend: {
      markers: {
        width: (_plot, i) => (isEdge(lines[i - 1]) ? 0 : 2),
        fill: (_plot, i) => (isEdge(lines[i - 1]) ? colour('--band') : 'transparent'),
        dash: (_plot, i) => DASHES[lines[i - 1]?.kind ?? ''] ?? 'solid',
      },
    },
    ...(low !== -1 && {
      bands: [{ series: [high + 1, low + 1] as [number, number], fill: colour('--band') }],
    }),
    cursor: {
      // The cursor alone is shared: a drag is one zoom, not one of every chart.
      sync: {
        key: 'tidemark',
        setSeries: false,
        filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' },
      },
      drag: { x: true, y: false, setScale: false },
      bind: {
        dblclick: () => () => {
          if (zooms() > 0) history.back()
          return null
        },
      },
    },
    hooks: {
      ready: [(plot) => markEdges(plot, lines)],
      setCursor: [(plot) => plot.root.classList.toggle('pointed', plot.cursor.idx != null)],
      drawClear: [(plot) => drawHoles(plot, holes, colour('--hole'))],
      setSelect: [
        (plot) => {
          const { left, width: wide } = plot.select
          if (wide < DRAG_PX_MIN) return
          onZoom(plot.posToVal(left, 'x') * 1_000, plot.posToVal(left + wide, 'x') * 1_000)
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
        },
      ],
    },
  }
}

/** The legend marks a band by an area and all else by a line. */
function markEdges(plot: uPlot, lines: readonly Line[]): void {
  for (const [i, mark] of plot.root.querySelectorAll('.u-legend .u-series').entries())
    mark.classList.toggle('edge', isEdge(lines[i - 1]))
}

/** Stretches without messages are shaded, so that they are not taken for a low value. */
function drawHoles(plot: uPlot, holes: readonly Hole[], fill: string): void {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.fillStyle = fill
  for (const { fromMs, toMs } of holes) {
    const left = Math.max(bbox.left, plot.valToPos(fromMs / 1_000, 'x', true))
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(toMs / 1_000, 'x', true))
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height)
  }
  ctx.restore()
}

/** The time of day, with the date where it changes; dates alone over long ranges. */
function timeLabels(splits: readonly number[], zone: string): string[] {
  let before = ''
  const isLong = splits.length > 1 && splits[1]! - splits[0]! >= 86_400
  return splits.map((seconds) => {
    const ms = seconds * 1_000
    const day = weekday(ms, zone)
    const year = new Date(wallOf(ms, zone)).getUTCFullYear()
    if (isLong) return splits.at(-1)! - splits[0]! > 300 * 86_400 ? `${day.slice(4)}\n${year}` : day
    const changed = day !== before
    before = day
    return changed ? `${clock(ms, zone)}\n${day}` : clock(ms, zone)
  })
}
