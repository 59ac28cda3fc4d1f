import type { Basis, ViewInfo } from '../answers.ts'
import { type Html, html } from './html.ts'

/** What all pages have around their content. */
export function layout(title: string, content: Html, { charts = false }: { charts?: boolean } = {}): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/style.css">
${charts && html`<link rel="stylesheet" href="/assets/uplot/uPlot.min.css"><script type="module" src="/assets/charts.js"></script>`}
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top"><a class="brand" href="/"><svg viewBox="0 0 32 32" aria-hidden="true"><path d="M3 12c4.5 0 4.5-4 9-4s4.500 4 9 4 4.500-4 8-4M3 19c4.500 0 4.500-4 9-4s4.500 4 9 4 4.500-4 8-4"/><path class="mark" d="M3 25h26"/></svg>Tidemark</a>
<nav aria-label="Main"><a href="/">Home</a><a href="/openapi.json">API</a></nav></header>
<main id="content">
${content}
</main>
<footer>Every message counted exactly once. <a href="/readyz">Readiness</a> · <a href="/v1/status">Status</a></footer>
</body>
</html>
`.text
}

/** What the form that asks for a range is filled with. */
export interface RangeForm {
  readonly from: string
  readonly to: string
  readonly tz: string
  readonly view: string
  /** The views to choose from. */
  readonly views: readonly ViewInfo[]
}

/** The form that asks for a range; the end date is inclusive. */
export function rangeForm({ from, to, tz, view, views }: RangeForm): Html {
  return html`<form class="range" action="/analysis" method="get">
<p><label for="from">From</label><input type="date" id="from" name="from" value="${from}" required></p>
<p><label for="to">To, that day included</label><input type="date" id="to" name="to" value="${to}" required></p>
<p><label for="tz">Time zone</label><input id="tz" name="tz" value="${tz}" list="zones" autocomplete="off" spellcheck="false"></p>
<datalist id="zones">${Intl.supportedValuesOf('timeZone').map((zone) => html`<option value="${zone}"></option>`)}</datalist>
<p><label for="view">View</label><select id="view" name="view">${views.map(
    ({ view: { name } }) => html`<option${name === view && html` selected`}>${name}</option>`,
  )}</select></p>
<p><button type="submit">Show analysis</button></p>
</form>`
}

/** What the answers stand on, in words. */
export function standing({ viewVersion, position, tidemark }: Basis): Html {
  const blocks = (at: { readonly [partition: number]: number }) =>
    Object.values(at).reduce((sum, offset) => sum + offset + 1, 0)
  const batch = viewVersion === null ? 'Nothing is recomputed yet' : `Batch version ${viewVersion}`
  return html`<p class="basis">${batch}: ${blocks(tidemark)} blocks below the tidemark, ${blocks(position) - blocks(tidemark)} above it in real time.</p>`
}
