import { type Html, html } from '../html.ts'
import type { Identity } from './identity.ts'

/** The page on which a browser's user shows a token. It needs no script, and no file that needs a token. */

export const STYLE = `:root { color-scheme: light dark; --text: #12262d; --quiet: #4a6169; --page: #f4f7f8; --card: #fff; --line: #8aa0a8; --own: #0b6e8a; --on: #fff; --wrong: #a3203f }
@media (prefers-color-scheme: dark) { :root { --text: #e4eef1; --quiet: #a3b8bf; --page: #0d1b20; --card: #14272e; --line: #5f7a84; --own: #5cc3e0; --on: #06222b; --wrong: #ff8fa6 } }
* { box-sizing: border-box }
body { margin: 0; padding: 1.5rem; min-height: 100vh; display: grid; place-content: center; justify-items: center; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif }
main { width: min(26rem, 100%); padding: 2rem; background: var(--card); border-radius: .75rem }
h1 { margin: 0 0 1rem; font-size: 1.4rem }
.product { margin: 0; font-weight: 600; color: var(--own) }
label { display: block; font-weight: 600 }
input { width: 100%; margin: .25rem 0 1rem; padding: .6rem .7rem; font: inherit; color: inherit; background: var(--page); border: 1px solid var(--line); border-radius: .4rem }
button { width: 100%; padding: .65rem; font: inherit; font-weight: 600; color: var(--on); background: var(--own); border: 0; border-radius: .4rem; cursor: pointer }
:focus-visible { outline: 3px solid var(--own); outline-offset: 2px }
p { margin: 1rem 0 0; color: var(--quiet) }
a { color: var(--own) }
code { overflow-wrap: anywhere }
.wrong { margin: 0 0 1rem; color: var(--wrong) }
`

/** The form; `wrong` says why the last try was none. */
export function signInPage({ back, wrong }: { back: string; wrong: string | null }): string {
  return page(
    'Sign in',
    html`${wrong !== null && html`<p class="wrong" role="alert" id="wrong">${wrong}</p>`}
<form method="post" action="/sign-in">
<input type="hidden" name="return" value="${back}">
<label for="token">Access token</label>
<input type="password" id="token" name="token" required autofocus autocomplete="current-password" spellcheck="false"${wrong !== null && html` aria-invalid="true" aria-describedby="wrong"`}>
<button type="submit">Sign in</button>
</form>
<p>Whoever runs this server makes one: <code>tidemark token create --role viewer</code></p>`,
  )
}

/** Who is signed in, and how to leave. */
export function signedInPage({ holder: { id, role, name } }: Identity, back: string): string {
  const called = name === '' ? html`${id}` : html`<bdi>${name}</bdi> (${id})`
  return page(
    'You are signed in',
    html`<form method="post" action="/sign-out"><button type="submit">Sign out</button></form>
<p>With the token ${called}, as ${role}. <a href="${back}">Go on</a></p>`,
  )
}

function page(title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Tidemark</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/sign-in.css">
</head>
<body>
<main>
<p class="product">Tidemark</p>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`.text
}
