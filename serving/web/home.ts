import type { Answers } from '../answers.ts'
import { count, isoDate, minute } from './format.ts'
import { type Html, html } from './html.ts'
import { layout, rangeForm, standing } from './layout.ts'

const DAY_MS = 86_400_000

/** The home page: two date pickers, and what is known of each service. */
export function homePage(answers: Answers, nowMs: number): string {
  const services = answers.services()
  const range = { from: isoDate(nowMs - 6 * DAY_MS, 'UTC'), to: isoDate(nowMs, 'UTC'), tz: 'UTC' }
  const content = html`<h1>How did your services do?</h1>
<p class="lead">CPU, RAM and disk of every service, now, last night or last year. Choose a range.</p>
<section class="card" aria-label="Choose a range">${rangeForm(range)}</section>
<section><h2>Services</h2>${services.length === 0 ? empty() : servicesTable(services, range)}
${standing(answers.basis())}</section>`
  return layout('Tidemark', content)
}

function servicesTable(services: ReturnType<Answers['services']>, range: { from: string; to: string }): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Services"><table>
<thead><tr><th scope="col">Service</th><th scope="col" class="number">Messages</th><th scope="col">First minute (UTC)</th><th scope="col">Last minute (UTC)</th></tr></thead>
<tbody>${services.map(
    ({
      key,
      messages,
      firstMinuteMs,
      lastMinuteMs,
    }) => html`<tr><th scope="row"><a href="/analysis?from=${range.from}&amp;to=${range.to}&amp;tz=UTC#service-${encodeURIComponent(key)}">${key}</a></th>
<td class="number">${count(messages)}</td><td>${minute(firstMinuteMs, 'UTC')}</td><td>${minute(lastMinuteMs, 'UTC')}</td></tr>`,
  )}</tbody></table></div>`
}

function empty(): Html {
  return html`<div class="card empty"><p>No messages yet. Start an agent, or send a line by hand:</p>
<pre><code>echo '{"service":"web","cpu":1,"ram":2,"disk":3}' | nc -q1 127.0.0.1 7070</code></pre></div>`
}
