import { legendRows } from './legend.ts'

/** Heights in units of the page: of the title, and of a row of the legend. */
const [HEAD, ROW, EDGE] = [36, 22, 12]

/** Saves a chart as a PNG with its title and its legend, as it is on the page. */
export function savePicture(figure: HTMLElement, title: string, name: string): void {
  const chart = figure.querySelector('canvas')
  if (chart === null) return
  const style = getComputedStyle(document.documentElement)
  const ratio = window.devicePixelRatio || 1
  const width = chart.width / ratio
  const picture = document.createElement('canvas')
  const pen = picture.getContext('2d')!
  const font = (weight: number, px: number) => `${weight} ${px}px system-ui, sans-serif`
  pen.font = font(400, 13)
  const marks = marksOf(figure)
  const rows = legendRows(
    marks.map(({ label }) => pen.measureText(label).width + 40),
    width - 2 * EDGE,
  )
  picture.width = chart.width
  picture.height = chart.height + (HEAD + rows.length * ROW + EDGE) * ratio
  pen.scale(ratio, ratio)
  pen.fillStyle = style.getPropertyValue('--raised')
  pen.fillRect(0, 0, width, picture.height / ratio)
  pen.fillStyle = style.getPropertyValue('--ink')
  pen.font = font(600, 14)
  pen.fillText(title, EDGE, 24)
  pen.drawImage(chart, 0, HEAD, width, chart.height / ratio)
  pen.font = font(400, 13)
  for (const [r, row] of rows.entries())
    for (const { i, at } of row) {
      const { label, line, fill, dash } = marks[i]!
      const [x, y] = [EDGE + at, HEAD + chart.height / ratio + (r + 0.7) * ROW]
      pen.fillStyle = fill
      pen.fillRect(x, y - 11, 16, 12)
      pen.strokeStyle = line
      pen.lineWidth = 2
      pen.setLineDash(dash)
      pen.beginPath()
      pen.moveTo(x, y - 5)
      pen.lineTo(x + 16, y - 5)
      pen.stroke()
      pen.fillStyle = style.getPropertyValue('--ink')
      pen.fillText(label, x + 22, y)
    }
  picture.toBlob((blob) => {
    if (blob === null) return
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = `${name.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 100)}.png`
    link.click()
    URL.revokeObjectURL(link.href)
  })
}

const DASHES: { readonly [style: string]: number[] } = { dashed: [6, 4], dotted: [2, 3] }

/** The lines that the legend of a chart names, all but the time, in its colours. */
function marksOf(figure: HTMLElement) {
  return [...figure.querySelectorAll('.u-legend .u-series')].slice(1).map((row) => {
    const mark = row.querySelector('.u-marker')
    const look = mark === null ? null : getComputedStyle(mark)
    const hasLine = look !== null && look.borderTopWidth !== '0px'
    return {
      label: (row.querySelector('.u-label')?.textContent ?? '').replace(/:$/, ''),
      line: hasLine ? look.borderTopColor : 'transparent',
      fill: look?.backgroundColor ?? 'transparent',
      dash: DASHES[look?.borderTopStyle ?? ''] ?? [],
    }
  })
}
