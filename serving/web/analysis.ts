import { compareNaturally } from '../../schemas/natural-order.ts'
import { bucketStart } from '../../schemas/time.ts'
import type { Answers, Range, Stats, ViewInfo, Whole } from '../answers.ts'
import { chooseStep } from '../step.ts'
import { type ChartData, chartData } from './charts.ts'
import { figuresOf, gaugeText, isolated, keyHtml, keyText, nameHtml, titleOf } from './figures.ts'
import { count, isoDate, minute, moment, rangeText, step, total } from './format.ts'
import { dataBlock, type Html, html } from './html.ts'
import { layout, type RangeForm, rangeForm, standing } from './layout.ts'

/** About one point for two pixels of a wide page. */
const CHART_POINTS_MAX = 600
/** Rows of the table that says what a chart shows. */
const TABLE_POINTS_MAX = 48
/** Lines that can still be told apart; the services with most messages are drawn. */
const CHART_SERVICES_MAX = 8

/** The analysis of a range by one view. */
export async function analysisPage(
  answers: Answers,
  info: ViewInfo,
  range: Range,
  zone: string,
): Promise<string> {
  const { name } = info.view
  await answers.reach(name, range)
  const { stats: unsorted, ...whole } = await answers.analytics(name, range)
  const all = [...unsorted].sort((a, b) => compareNaturally(a.key, b.key))
  const form = {
    from: isoDate(range.fromMs, zone),
    to: isoDate(Math.max(range.fromMs, range.toMs - 1), zone),
    tz: zone,
    view: name,
    views: answers.views(),
  }
  const content = html`<h1>${rangeText(range, zone)}</h1>
<p class="lead">${summary(info, all, zone)}</p>
<section class="card" aria-label="Choose another range">${rangeForm(form)}</section>
${incomplete(whole, zone)}
${all.length > 0 && html`${all.map((stats) => keySection(info, stats, zone))}${await charts(answers, info, all, range, zone)}`}
${standing(answers.basis(name))}`
  return layout(`Analysis, ${rangeText(range, zone)} · Tidemark`, content, { charts: all.length > 0 })
}

/** What to show when the range is wrong. */
export function wrongRangePage(message: string, asked: RangeForm): string {
  const content = html`<h1>That range cannot be shown</h1>
<p class="notice" role="alert">${message}</p>
<section class="card" aria-label="Choose a range">${rangeForm(asked)}</section>`
  return layout('Wrong range · Tidemark', content)
}

function summary({ view }: ViewInfo, all: readonly Stats[], zone: string): string {
  const messages = all.reduce((sum, stats) => sum + stats.messages, 0)
  if (messages === 0) return `No messages in this range (${zone}).`
  const what = view.key.map((column) => titleOf(column).toLowerCase()).join(' and ')
  const keys =
    all.length === 1
      ? `1 ${what}`
      : `${count(all.length)} ${view.key.length === 1 ? `${what}s` : `of ${what}`}`
  return `${count(messages)} messages of ${keys}; times in ${zone}.`
}

/** An answer that lacks something says so before any figure. */
function incomplete({ complete, gaps }: Whole, zone: string): Html | null {
  if (complete) return null
  const when = (ms: number | null) => (ms === null ? '' : minute(ms, zone))
  return html`<div class="notice" role="status"><p>These figures are not complete:</p><ul>${gaps.map(
    (gap) =>
      html`<li>${gap.reason}${gap.fromMs !== null && ` (${when(gap.fromMs)} to ${when(gap.toMs)})`}</li>`,
  )}</ul></div>`
}

function keySection(info: ViewInfo, stats: Stats, zone: string): Html {
  const { view } = info
  const { messages, answeredBy } = stats
  const key = keyText(stats.key)
  const hasQuantiles = view.measures.includes('quantiles')
  return html`<section class="service" id="service-${encodeURIComponent(stats.key)}">
<h2>${keyHtml(stats.key)}</h2>
<p class="counts"><strong data-messages="${key}">${count(messages)}</strong> messages: ${count(answeredBy.batch)} from batch, ${count(answeredBy.realtime)} in real time</p>
<div class="scroll" tabindex="0" role="region" aria-label="Figures of ${isolated(stats.key)}"><table>
<thead><tr><th scope="col">Gauge</th><th scope="col" class="number">Mean</th>${hasQuantiles && html`<th scope="col" class="number">95 % below</th>`}<th scope="col" class="number">Maximum</th><th scope="col">at</th>${view.source !== null && html`<th scope="col">on ${titleOf(view.source).toLowerCase()}</th>`}<th scope="col" class="number">Total</th></tr></thead>
<tbody>${view.gauges.map(({ gauge }, g) => {
    const { mean, max, maxTimeMs, source, p95, total: sum } = figuresOf(stats, g)
    return html`<tr><th scope="row">${titleOf(gauge)}</th><td class="number" data-figure="${key}/${gauge}/mean">${gaugeText(info, g, mean)}</td>
${hasQuantiles && html`<td class="number" data-figure="${key}/${gauge}/p95">${gaugeText(info, g, p95)}</td>`}<td class="number" data-figure="${key}/${gauge}/max">${gaugeText(info, g, max)}</td><td>${maxTimeMs === null ? '–' : moment(maxTimeMs, zone)}</td>${view.source !== null && html`<td>${source === null ? '–' : nameHtml(source)}</td>`}<td class="number">${total(sum)}</td></tr>`
  })}</tbody></table></div>
</section>`
}

async function charts(
  answers: Answers,
  info: ViewInfo,
  all: readonly Stats[],
  range: Range,
  zone: string,
): Promise<Html> {
  const shown = [...all].sort((a, b) => b.messages - a.messages).slice(0, CHART_SERVICES_MAX)
  const keys = shown.map(({ key }) => key).sort(compareNaturally)
  const { bucketMs } = info.view
  const stepMs = chooseStep(range, CHART_POINTS_MAX, bucketMs)
  const coarseMs = chooseStep(range, TABLE_POINTS_MAX, bucketMs)
  const fine = await chartData(answers, info, keys, range, stepMs)
  const coarse = await chartData(answers, info, keys, range, coarseMs)
  return html`${fine.map(({ gauge }, g) => {
    const name = titleOf(gauge)
    return html`<section class="chart-section"><h2>${name} over time</h2>
<figure><div class="chart" data-chart="${g}" role="img" aria-label="${name} over time; the table below says the same"></div>
<figcaption>${chartText(info, name, g, shown, zone)} Lines are means of ${step(stepMs)}, dots their maxima.${all.length > shown.length && ` The ${CHART_SERVICES_MAX} with most messages are drawn.`}</figcaption></figure>
<details><summary>${name} as a table</summary>${chartTable(info, g, coarse[g]!, coarseMs, zone)}</details></section>`
  })}
${dataBlock('chart-data', { zone, charts: fine })}`
}

function chartText(
  info: ViewInfo,
  name: string,
  g: number,
  shown: readonly Stats[],
  zone: string,
): Html | null {
  const highest = (stats: Stats) => figuresOf(stats, g).max ?? Number.NEGATIVE_INFINITY
  const top = shown.reduce((best, stats) => (highest(stats) > highest(best) ? stats : best))
  const { max, maxTimeMs, source } = figuresOf(top, g)
  if (max === null || maxTimeMs === null) return null
  const where = source !== null && html` on ${nameHtml(source)}`
  return html`${name} was highest at ${gaugeText(info, g, max)}: ${keyHtml(top.key)}${where}, ${moment(maxTimeMs, zone)}.`
}

function chartTable(info: ViewInfo, g: number, { t, series }: ChartData, stepMs: number, zone: string): Html {
  const held = t.flatMap((_, i) => (series.some(({ mean }) => mean[i] !== null) ? [i] : []))
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Values"><table>
<thead><tr><th scope="col">From (${step(stepMs)} each)</th>${series.map(({ key }) => html`<th scope="col" class="number"><bdi>${key}</bdi>, mean</th><th scope="col" class="number"><bdi>${key}</bdi>, max</th>`)}</tr></thead>
<tbody>${held.map(
    (i) =>
      html`<tr><th scope="row">${minute(bucketStart(t[i]! * 1000, stepMs), zone)}</th>${series.map(
        ({ mean, max }) =>
          html`<td class="number">${gaugeText(info, g, mean[i]!)}</td><td class="number">${gaugeText(info, g, max[i]!)}</td>`,
      )}</tr>`,
  )}</tbody></table></div>`
}
