import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { MINUTE_MS } from '../../schemas/time.ts'
import { launch } from '../../test/heavy/chromium.ts'
import { send } from '../../test/heavy/lines.ts'
import { type Running, startUp } from '../../test/heavy/up.ts'
import { budgetText, times } from '../budget.ts'
import { serviceName } from '../lake/history.ts'
import { machine, median, ms } from '../measure.ts'
import { UNSCHEDULED } from '../runs.ts'

/**
 * Pages: a real browser loads the home page with nothing kept and does what people do there, while every service sends a message a
 * second. The floor is a page of as many plain rows, without a script, and a button that does nothing.
 */
export interface Pages {
  readonly services: number
  readonly rounds: number
  /** Of what the first load brings besides answers, compressed. */
  readonly bytes: number
  readonly load: Loaded
  readonly floor: Loaded
  /** From an interaction to the next paint, of each kind. */
  readonly paints: readonly Painted[]
  readonly floorPaint: Painted
}

interface Loaded {
  /** From the start of the navigation to the first paint, and to the first row: medians. */
  readonly paintMs: number
  readonly rowsMs: number
}

interface Painted {
  readonly kind: string
  readonly medianMs: number
  readonly slowestMs: number
}

const [BYTES, ROWS_MS, PAINT_MS] = [{ atMost: 100_000 }, { atMost: 1_000 }, { atMost: 200 }]
/** Minutes of each service that are there. */
const MINUTES = 60
const PAUSE_MS = 300
const ROW = 'tbody tr'

/** What somebody does on the home page; each is repeated in each round. */
const KINDS: readonly (readonly [kind: string, act: (page: Page) => Promise<void>])[] = [
  ['a letter in the search', (page) => page.keyboard.type('9')],
  ['a row further down', (page) => page.keyboard.press('ArrowDown')],
  ['another order', (page) => page.getByRole('button', { name: 'CPU now' }).click()],
  ['one state alone', (page) => page.getByRole('link', { name: /^[\d,]+ ok$/ }).click()],
]

/** Notes how long each event that somebody caused waited for its paint, as the browser tells it. */
const NOTED = `
  window.events = []
  new PerformanceObserver((list) => events.push(...list.getEntries().filter((one) => one.interactionId > 0).map((one) => one.duration)))
    .observe({ type: 'event', durationThreshold: 16, buffered: true })
  new MutationObserver((_, watch) => {
    if (document.querySelector('${ROW}') === null) return
    window.rowsMs ??= performance.now()
    watch.disconnect()
  }).observe(document, { childList: true, subtree: true })`

export async function benchPages(services: number, rounds: number): Promise<Pages> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-pages-'))
  const up = await startUp(join(dir, 'data'), ['--agent-enabled', 'false', ...UNSCHEDULED])
  const browser = await launch()
  try {
    const startMs = Date.now() - MINUTES * MINUTE_MS
    for (let minute = 0; minute < MINUTES; minute++)
      await send(up, linesAt(services, startMs + minute * MINUTE_MS))
    using _ = keepSending(up, services)
    await using bare = await startBare(services)
    const [loads, floors, events]: [Load[], Load[], Map<string, number[]>] = [[], [], new Map()]
    for (let round = 0; round < rounds; round++) {
      loads.push(await loadOnce(browser, `${up.serving}/`, KINDS, events))
      floors.push(await loadOnce(browser, bare.url, [BARE_KIND], events))
    }
    const painted = (kind: string): Painted => {
      const all = events.get(kind)!
      return { kind, medianMs: median(all), slowestMs: Math.max(...all) }
    }
    return {
      services,
      rounds,
      bytes: Math.max(...loads.map(({ bytes }) => bytes)),
      load: medianOf(loads),
      floor: medianOf(floors),
      paints: KINDS.map(([kind]) => painted(kind)),
      floorPaint: painted(BARE_KIND[0]),
    }
  } finally {
    await browser.close()
    await up.end('SIGTERM')
    await rm(dir, { recursive: true })
  }
}

const BARE_KIND = ['nothing', (page: Page) => page.getByRole('button').click()] as const

interface Load extends Loaded {
  readonly bytes: number
}

const medianOf = (loads: readonly Load[]): Loaded => ({
  paintMs: median(loads.map(({ paintMs }) => paintMs)),
  rowsMs: median(loads.map(({ rowsMs }) => rowsMs)),
})

/** One load with an empty cache; then each kind of act once, whose time is added to `events`. */
async function loadOnce(
  browser: Browser,
  url: string,
  kinds: typeof KINDS,
  events: Map<string, number[]>,
): Promise<Load> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 800 } })
  const page = await context.newPage()
  await page.addInitScript(NOTED)
  const sizes: Promise<number>[] = []
  page.on('requestfinished', (request) => {
    if (!request.url().includes('/v1/')) sizes.push(request.sizes().then((all) => all.responseBodySize))
  })
  await page.goto(url)
  await page.locator(ROW).nth(1).waitFor()
  // The figures of all rows, and what is asked for first.
  await page.waitForTimeout(4 * PAUSE_MS)
  const { paintMs, rowsMs } = await page.evaluate<Loaded>(`({
    paintMs: performance.getEntriesByName('first-contentful-paint')[0].startTime, rowsMs })`)
  for (const [kind, act] of kinds) {
    if (kind.includes('search')) await page.keyboard.press('/')
    await page.waitForTimeout(PAUSE_MS)
    await page.evaluate('void (events.length = 0)')
    await act(page)
    await page.waitForTimeout(PAUSE_MS)
    // What took less than the browser tells of took at most 16 ms.
    const slowest = await page.evaluate<number>('Math.max(16, ...events)')
    events.set(kind, [...(events.get(kind) ?? []), slowest])
    if (kind.includes('search')) await clearSearch(page)
  }
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
  await context.close()
  return { paintMs, rowsMs, bytes }
}

async function clearSearch(page: Page): Promise<void> {
  await page.keyboard.press('Backspace')
  await page.keyboard.press('Escape')
}

const linesAt = (services: number, timeMs: number) =>
  Array.from({ length: services }, (_, n) =>
    JSON.stringify({
      service: serviceName(n),
      host: `${serviceName(n)}-1`,
      time_stamp: timeMs,
      cpu: 20 + ((n * 7 + timeMs / 1_000) % 40),
      ram: 50,
      disk: 60,
    }),
  )

/** A message of every service each second, until disposed of. */
function keepSending({ collector }: Running, services: number) {
  const socket = net.connect(collector.port, collector.host)
  socket.resume()
  const timer = setInterval(() => socket.write(`${linesAt(services, Date.now()).join('\n')}\n`), 1_000)
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      socket.destroy()
    },
  }
}

/** A server of one page: a button, and as many rows of a table. */
async function startBare(services: number) {
  const rows = Array.from({ length: services }, (_, n) => `<tr><th>${serviceName(n)}<td>ok<td>20.0 %<td>now`)
  const page = `<!doctype html><title>Bare</title><button>Nothing</button><table>${rows.join('')}</table>`
  const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(page))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function pagesText({ services, rounds, bytes, load, floor, paints, floorPaint }: Pages): string {
  const kib = (value: number) => `${(value / 1_000).toFixed(1)} kB`
  const loaded = ({ paintMs, rowsMs }: Loaded, rows = ms(rowsMs)) =>
    `first paint ${ms(paintMs)}, rows ${rows}`
  const painted = ({ kind, medianMs, slowestMs }: Painted) =>
    `${kind.padEnd(24)} ${ms(medianMs)}, slowest ${budgetText(slowestMs, PAINT_MS, ms)}`
  const slowest = Math.max(...paints.map(({ medianMs }) => medianMs))
  return [
    `pages: ${services} services that send each second, ${rounds} loads, on ${machine()}`,
    `  first load    ${budgetText(bytes, BYTES, kib)}; ${loaded(load, budgetText(load.rowsMs, ROWS_MS, ms))}`,
    `  the floor     ${loaded(floor)}`,
    `  page / floor  rows ${times(load.rowsMs / floor.rowsMs)}; slowest kind's paint ${times(slowest / floorPaint.medianMs)}`,
    '  from an interaction to the next paint, as the browser tells it:',
    ...[...paints, floorPaint].map((one) => `    ${painted(one)}`),
  ].join('\n')
}
