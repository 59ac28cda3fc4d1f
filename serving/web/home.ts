import { compareNaturally } from '../../schemas/natural-order.ts'
import { DAY_MS } from '../../schemas/time.ts'
import type { Answers, KeysAnswer, ViewInfo } from '../answers.ts'
import { keyHtml, titleOf } from './figures.ts'
import { count, isoDate, minute } from './format.ts'
import { type Html, html } from './html.ts'
import { layout, rangeForm, standing } from './layout.ts'

/** Keys of a view that are listed. */
const KEYS_MAX = 1_000

/** Sends a message with nothing but Node, and shows the answer; the same as in the README. */
const BY_HAND =
  'node -e \'require("net").connect(7070, "127.0.0.1").end(`{"service":"web","cpu":1,"ram":2,"disk":3}`).pipe(process.stdout)\''

/** The home page: two date pickers, and what is known of each service and of the keys of all other datasets. */
export function homePage(answers: Answers, nowMs: number): string {
  const views = answers.views()
  const range = { from: isoDate(nowMs - 6 * DAY_MS, 'UTC'), to: isoDate(nowMs, 'UTC'), tz: 'UTC' }
  // Of each dataset the first view.
  const listed = views.filter(({ dataset }, i) => views.findIndex((one) => one.dataset === dataset) === i)
  const content = html`<h1>How did your services do?</h1>
<p class="lead">CPU, RAM and disk of every service, now, last night or last year. Choose a range.</p>
<section class="card" aria-label="Choose a range">${rangeForm({ ...range, view: listed[0]!.view.name, views })}</section>
${listed.map((info, i) => viewSection(info, answers.keys(info.view.name), range, i === 0))}
${standing(answers.basis(listed[0]!.view.name))}`
  return layout('Tidemark', content)
}

function viewSection(
  info: ViewInfo,
  { keys }: KeysAnswer,
  range: { from: string; to: string },
  first: boolean,
): Html {
  const title = first ? 'Services' : titleOf(info.dataset.name)
  const sorted = [...keys].sort((a, b) => compareNaturally(a.key, b.key)).slice(0, KEYS_MAX)
  return html`<section><h2>${title}</h2>${sorted.length === 0 ? empty(first) : keysTable(info, title, sorted, range)}
${keys.length > sorted.length && html`<p>${count(keys.length - sorted.length)} more are not listed.</p>`}</section>`
}

function keysTable(
  { view }: ViewInfo,
  title: string,
  keys: KeysAnswer['keys'],
  range: { from: string; to: string },
): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table>
<thead><tr><th scope="col">${view.key.map(titleOf).join(', ')}</th><th scope="col" class="number">Messages</th><th scope="col">First minute (UTC)</th><th scope="col">Last minute (UTC)</th></tr></thead>
<tbody>${keys.map(
    ({
      key,
      messages,
      firstMs,
      lastMs,
    }) => html`<tr><th scope="row"><a href="/analysis?from=${range.from}&amp;to=${range.to}&amp;tz=UTC&amp;view=${view.name}#service-${encodeURIComponent(key)}">${keyHtml(key)}</a></th>
<td class="number">${count(messages)}</td><td>${minute(firstMs, 'UTC')}</td><td>${minute(lastMs, 'UTC')}</td></tr>`,
  )}</tbody></table></div>`
}

function empty(first: boolean): Html {
  if (!first) return html`<p>No messages yet.</p>`
  return html`<div class="card empty"><p>No messages yet. Start an agent, or send a line by hand:</p>
<pre><code>${BY_HAND}</code></pre></div>`
}
