import type { FastifyInstance } from 'fastify'
import { type ApiDocument, docsPage } from './page.ts'

const STYLE = `:root{color-scheme:light dark;--ink:#16232b;--quiet:#50626d;--ground:#f5f8f9;--line:#d6e0e5;--accent:#0b6e8a}
@media (prefers-color-scheme:dark){:root{--ink:#e6eef2;--quiet:#9db1bc;--ground:#0e171c;--line:#2a3a44;--accent:#5cc3e0}}
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);display:grid;grid-template-columns:minmax(0,22rem) minmax(0,1fr);grid-template-rows:auto 1fr}
header{grid-column:1/-1;display:flex;gap:1.5rem;padding:.8rem 1.25rem;border-bottom:1px solid var(--line)}
a{color:var(--accent)}
nav{padding:1rem 1.25rem;position:sticky;top:0;max-height:100vh;overflow:auto;font-size:.85rem}
nav ul{list-style:none;margin:0;padding:0}
nav li{padding:.15rem 0;overflow-wrap:anywhere}
nav a{text-decoration:none}
main{padding:1rem 1.5rem 6rem;max-width:64rem}
section{border-top:1px solid var(--line);padding:1rem 0}
h2{font-size:1.1rem;overflow-wrap:anywhere}
h3{font-size:.95rem;margin:1rem 0 .3rem}
h4{font-size:.85rem;margin:.6rem 0 .2rem;color:var(--quiet)}
.method{color:var(--accent)}
.scroll,pre{overflow:auto}
td code{white-space:nowrap}
table{border-collapse:collapse;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line)}
pre{font-size:.82rem;border:1px solid var(--line);border-radius:6px;padding:.7rem;margin:0;max-height:32rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
@media (max-width:52rem){body{display:block}nav{position:static;max-height:14rem}}
`

/** `/docs`: the document of the API for people. Nothing on it comes from elsewhere, and it needs no script. */
export function docsRoutes(app: FastifyInstance): void {
  const hidden = { schema: { hide: true } }
  let page: string | null = null
  app.get('/docs', hidden, async (_request, reply) => {
    page ??= docsPage(app.swagger() as unknown as ApiDocument)
    return reply.type('text/html; charset=utf-8').send(page)
  })
  app.get('/docs.css', hidden, async (_request, reply) => reply.type('text/css; charset=utf-8').send(STYLE))
}
