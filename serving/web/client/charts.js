import uPlot from './uplot/uPlot.esm.js'

/** Draws the charts of the analysis page from the data block in it. */
const { zone, charts } = JSON.parse(document.getElementById('chart-data').textContent)

const LIGHT = ['#0b6e8a', '#c2571a', '#5a7d1c', '#8a3b86', '#1d57b8', '#a3203f', '#6b5b1e', '#3d6b5c']
const DARK = ['#5cc3e0', '#f0a06b', '#a9d05a', '#d797d3', '#86b2ff', '#ff8fa6', '#d9c671', '#8fd0b8']
const HEIGHT = 260

const clockOf = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' })
const dayOf = new Intl.DateTimeFormat('en-GB', { timeZone: zone, day: 'numeric', month: 'short' })
const momentOf = new Intl.DateTimeFormat('en-GB', { timeZone: zone, dateStyle: 'medium', timeStyle: 'short' })

/** Labels of the time axis: the time of day, with the date where it changes; dates alone over long ranges. */
function timeLabels(_plot, splits) {
  let before = ''
  return splits.map((seconds, i) => {
    const at = new Date(seconds * 1000)
    const day = dayOf.format(at)
    const changed = day !== before
    before = day
    if (i > 0 && splits[1] - splits[0] >= 86_400) return day
    return changed ? `${clockOf.format(at)}\n${day}` : clockOf.format(at)
  })
}

const dark = matchMedia('(prefers-color-scheme: dark)')
let drawn = []

function options(width, chart) {
  const style = getComputedStyle(document.documentElement)
  const quiet = style.getPropertyValue('--quiet').trim()
  const line = style.getPropertyValue('--line').trim()
  const colours = dark.matches ? DARK : LIGHT
  const axis = { stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } }
  const unit = chart.unit === '' ? '' : ` ${chart.unit}`
  const withUnit = (_plot, value) => (value == null ? '–' : `${value.toFixed(1)}${unit}`)
  const series = chart.series.flatMap(({ key }, i) => {
    // Isolated, so that a name written from the right turns nothing around it.
    const label = `\u2068${key}\u2069`
    const stroke = colours[i % colours.length]
    return [
      { label, stroke, width: 2, value: withUnit, points: { size: 5 } },
      {
        label: `${label}, max`,
        stroke,
        width: 0,
        paths: () => null,
        points: { show: true, size: 3, fill: stroke },
        value: withUnit,
      },
    ]
  })
  return {
    width,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    scales: {
      y: {
        range: (_plot, low, high) =>
          low == null ? [0, 100] : [Math.min(low * 1.05, 0), Math.max(high * 1.05, 1)],
      },
    },
    axes: [
      { ...axis, values: timeLabels, space: 70 },
      { ...axis, size: 56, values: (_plot, values) => values.map((value) => `${value}${unit}`) },
    ],
    series: [
      { label: 'Time', value: (_plot, at) => (at == null ? '–' : momentOf.format(at * 1000)) },
      ...series,
    ],
  }
}

function draw() {
  for (const plot of drawn) plot.destroy()
  drawn = [...document.querySelectorAll('[data-chart]')].map((place) => {
    const chart = charts[Number(place.dataset.chart)]
    const data = [chart.t, ...chart.series.flatMap(({ mean, max }) => [mean, max])]
    return new uPlot(options(place.clientWidth - 16, chart), data, place)
  })
}

draw()
dark.addEventListener('change', draw)
let width = window.innerWidth
window.addEventListener('resize', () => {
  if (window.innerWidth === width) return
  width = window.innerWidth
  draw()
})
