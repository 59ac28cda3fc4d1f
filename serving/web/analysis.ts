import { bucketStart } from '../../schemas/time.ts'
import type { Answers, Range, Stats } from '../answers.ts'
import { type ChartData, chartData, chooseStep } from './charts.ts'
import { count, isoDate, minute, moment, percent, rangeText, step, total } from './format.ts'
import { dataBlock, type Html, html } from './html.ts'
import { layout, rangeForm, standing } from './layout.ts'

/** About one point for two pixels of a wide page. */
const CHART_POINTS_MAX = 600
/** Rows of the table that says what a chart shows. */
const TABLE_POINTS_MAX = 48
/** Lines that can still be told apart; the services with most messages are drawn. */
const CHART_SERVICES_MAX = 8

const NAMES: { readonly [gauge: string]: string } = { cpu: 'CPU', ram: 'RAM', disk: 'Disk' }

/** The analysis of a range. */
export function analysisPage(answers: Answers, range: Range, zone: string): string {
  const all = answers.analytics(range)
  const form = { from: isoDate(range.fromMs, zone), to: isoDate(range.toMs - 1, zone), tz: zone }
  const content = html`<h1>${rangeText(range, zone)}</h1>
<p class="lead">${summary(all, zone)}</p>
<section class="card" aria-label="Choose another range">${rangeForm(form)}</section>
${incomplete(all[0], zone)}
${all.length > 0 && html`${all.map((stats) => serviceSection(answers, stats, zone))}${charts(answers, all, range, zone)}`}
${standing(answers.basis())}`
  return layout(`Analysis, ${rangeText(range, zone)} · Tidemark`, content, { charts: all.length > 0 })
}

/** What to show when the range is wrong. */
export function wrongRangePage(message: string, asked: { from: string; to: string; tz: string }): string {
  const content = html`<h1>That range cannot be shown</h1>
<p class="notice" role="alert">${message}</p>
<section class="card" aria-label="Choose a range">${rangeForm(asked)}</section>`
  return layout('Wrong range · Tidemark', content)
}

function summary(all: readonly Stats[], zone: string): string {
  const messages = all.reduce((sum, stats) => sum + stats.messages, 0)
  if (messages === 0) return `No messages in this range (${zone}).`
  const services = all.length === 1 ? '1 service' : `${count(all.length)} services`
  return `${count(messages)} messages of ${services}; times in ${zone}.`
}

/** An answer that lacks something says so before any figure. */
function incomplete(stats: Stats | undefined, zone: string): Html | null {
  if (stats === undefined || stats.complete) return null
  const when = (ms: number | null) => (ms === null ? '' : minute(ms, zone))
  return html`<div class="notice" role="status"><p>These figures are not complete:</p><ul>${stats.gaps.map(
    (gap) =>
      html`<li>${gap.reason}${gap.fromMs !== null && ` (${when(gap.fromMs)} to ${when(gap.toMs)})`}</li>`,
  )}</ul></div>`
}

function serviceSection(answers: Answers, stats: Stats, zone: string): Html {
  const { key, messages, answeredBy } = stats
  return html`<section class="service" id="service-${encodeURIComponent(key)}">
<h2>${key}</h2>
<p class="counts"><strong data-messages="${key}">${count(messages)}</strong> messages: ${count(answeredBy.batch)} from batch, ${count(answeredBy.realtime)} in real time</p>
<div class="scroll" tabindex="0" role="region" aria-label="Figures of ${key}"><table>
<thead><tr><th scope="col">Gauge</th><th scope="col" class="number">Mean</th><th scope="col" class="number">Maximum</th><th scope="col">at</th><th scope="col">on host</th><th scope="col" class="number">Total</th></tr></thead>
<tbody>${answers.view.gauges.map(({ gauge }, g) => {
    const { mean, max, maxTimeMs, maxHost, total: sum } = stats.gauges[g]!
    return html`<tr><th scope="row">${NAMES[gauge] ?? gauge}</th><td class="number" data-figure="${key}/${gauge}/mean">${percent(mean)}</td>
<td class="number" data-figure="${key}/${gauge}/max">${percent(max)}</td><td>${maxTimeMs === null ? '–' : moment(maxTimeMs, zone)}</td><td>${maxHost ?? '–'}</td><td class="number">${total(sum)}</td></tr>`
  })}</tbody></table></div>
</section>`
}

function charts(answers: Answers, all: readonly Stats[], range: Range, zone: string): Html {
  const shown = [...all].sort((a, b) => b.messages - a.messages).slice(0, CHART_SERVICES_MAX)
  const names = shown.map(({ key }) => key).sort()
  const stepMs = chooseStep(range, CHART_POINTS_MAX)
  const coarseMs = chooseStep(range, TABLE_POINTS_MAX)
  const fine = chartData(answers, names, range, stepMs)
  const coarse = chartData(answers, names, range, coarseMs)
  return html`${fine.map(({ gauge }, g) => {
    const name = NAMES[gauge] ?? gauge
    return html`<section class="chart-section"><h2>${name} over time</h2>
<figure><div class="chart" data-chart="${g}" role="img" aria-label="${name} over time; the table below says the same"></div>
<figcaption>${chartText(name, g, shown, zone)} Lines are means of ${step(stepMs)}, dots their maxima.${all.length > shown.length && ` The ${CHART_SERVICES_MAX} services with most messages are drawn.`}</figcaption></figure>
<details><summary>${name} as a table</summary>${chartTable(coarse[g]!, coarseMs, zone)}</details></section>`
  })}
${dataBlock('chart-data', { zone, charts: fine })}`
}

function chartText(name: string, g: number, shown: readonly Stats[], zone: string): string {
  const top = shown.reduce((best, stats) =>
    (stats.gauges[g]!.max ?? 0) > (best.gauges[g]!.max ?? 0) ? stats : best,
  )
  const { max, maxTimeMs, maxHost } = top.gauges[g]!
  if (max === null || maxTimeMs === null) return ''
  return `${name} was highest at ${percent(max)}: ${top.key} on ${maxHost}, ${moment(maxTimeMs, zone)}.`
}

function chartTable({ t, series }: ChartData, stepMs: number, zone: string): Html {
  const held = t.flatMap((_, i) => (series.some(({ mean }) => mean[i] !== null) ? [i] : []))
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Values"><table>
<thead><tr><th scope="col">From (${step(stepMs)} each)</th>${series.map(({ service }) => html`<th scope="col" class="number">${service}, mean</th><th scope="col" class="number">${service}, max</th>`)}</tr></thead>
<tbody>${held.map(
    (i) =>
      html`<tr><th scope="row">${minute(bucketStart(t[i]! * 1000, stepMs), zone)}</th>${series.map(
        ({ mean, max }) =>
          html`<td class="number">${percent(mean[i]!)}</td><td class="number">${percent(max[i]!)}</td>`,
      )}</tr>`,
  )}</tbody></table></div>`
}
