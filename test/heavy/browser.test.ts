import { existsSync, mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { host } from '../../schemas/datasets/host.ts'
import { toLine } from '../../schemas/message.ts'
import { DAY_MS } from '../../schemas/time.ts'
import { hostMessage } from '../sim/messages.ts'
import { needs } from './needs.ts'
import { type Running, startUp } from './up.ts'

const CHROMIUM = '/usr/bin/chromium'
const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
/** Where pictures go, when they are asked for: the ones of the README. */
const PICTURES = process.env.TIDEMARK_SCREENSHOTS
const HOURS = 72

const hasBrowser = needs('chromium', existsSync(CHROMIUM))
let data: string
let up: Running
let browser: Browser
const todayMs = Math.floor(Date.now() / DAY_MS) * DAY_MS

beforeAll(async () => {
  if (!hasBrowser) return
  data = await mkdtemp(join(tmpdir(), 'tidemark-browser-'))
  up = await startUp(data, ['--agent-enabled', 'false', '--speed-tick', '1s'])
  await sendHistory(up, todayMs - HOURS * 3_600_000)
  // The tidemark is a tick's boundary: the run finds something once a tick is committed.
  while ((await run(up)) !== 'published') await new Promise((resolve) => setTimeout(resolve, 200))
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
})
afterAll(async () => {
  await browser?.close()
  await up?.end('SIGTERM')
  if (data) await rm(data, { recursive: true, force: true })
})

/** What a run came to. */
async function run({ serving }: Running): Promise<string | null> {
  const { run } = (await (await fetch(`${serving}/v1/runs`, { method: 'POST' })).json()) as { run: string }
  for (;;) {
    const state = await (await fetch(`${serving}/v1/runs/${run}`)).json()
    const { result } = state as { result: string | null }
    if (result !== null) return result
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Three days of four services and some hosts, one message every five minutes each, with a night and a busy noon. */
async function sendHistory({ collector }: Running, fromMs: number): Promise<void> {
  const lines: string[] = []
  for (const [s, service] of ['accounts', 'checkout', 'payments', 'search'].entries()) {
    for (let i = 0; i < HOURS * 12; i++) {
      const timeMs = fromMs + i * 300_000
      const day = Math.sin(((timeMs % DAY_MS) / DAY_MS) * 2 * Math.PI - Math.PI / 2)
      const noise = ((i * 7919 + s * 104_729) % 100) / 12
      const gauges = [
        30 + 8 * s + day * (12 + 3 * s) + noise,
        45 + 6 * s + 4 * day + noise / 3,
        50 + 7 * s + i / 60,
      ]
      const values = gauges.map((value) => Math.round(value * 10) / 10)
      lines.push(
        toLine(host, hostMessage({ service, host: `${service}-${(i % 3) + 1}`, timeMs, gauges: values })),
      )
    }
  }
  await new Promise<void>((resolve, reject) => {
    const socket = net.connect(collector.port, collector.host)
    let answered = ''
    socket.on('error', reject)
    socket.on('data', (bytes) => {
      answered += bytes
    })
    socket.on('close', () => {
      if (answered.includes(`{"ack":${lines.length}}`)) resolve()
      else reject(new Error(`not all lines were acknowledged: ${answered.slice(-500)}`))
    })
    socket.end(`${lines.join('\n')}\n`)
  })
}

/** Opens a page and fails on whatever it says to the console. */
async function open(context: BrowserContext, path: string): Promise<Page> {
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(`${up.serving}${path}`)
  await page.waitForLoadState('networkidle')
  expect(complaints).toEqual([])
  return page
}

const isoDate = (ms: number) => new Date(ms).toISOString().slice(0, 10)

async function picture(page: Page, name: string): Promise<void> {
  if (!PICTURES) return
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: name === 'analysis' })
}

test.skipIf(!hasBrowser)('a range picked in the two date pickers shows the figures of the API', async () => {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 } })
  const home = await open(context, '/')
  await picture(home, 'home')
  const from = isoDate(todayMs - 3 * DAY_MS)
  const to = isoDate(todayMs - DAY_MS)
  await home.getByLabel('From').fill(from)
  await home.getByLabel('To, that day included').fill(to)
  await home.getByRole('button', { name: 'Show analysis' }).click()
  await home.waitForURL(/\/analysis\?/)
  await home.waitForLoadState('networkidle')
  const answer = await fetch(`${up.serving}/v1/services/checkout/stats?from=${from}&to=${isoDate(todayMs)}`)
  const stats = (await answer.json()) as { messages: number; cpu: { mean: number; max: number } }
  expect(stats.messages).toBe(HOURS * 12)
  expect(await home.locator('[data-messages="checkout"]').innerText()).toBe(
    stats.messages.toLocaleString('en'),
  )
  expect(await home.locator('[data-figure="checkout/cpu/mean"]').innerText()).toBe(
    `${stats.cpu.mean.toFixed(1)} %`,
  )
  expect(await home.locator('[data-figure="checkout/cpu/max"]').innerText()).toBe(
    `${stats.cpu.max.toFixed(1)} %`,
  )
  expect(await home.locator('.chart canvas').count()).toBe(3)
  await picture(home, 'analysis')
  await context.close()
})

for (const [name, path] of [
  ['home', '/'],
  ['analysis', `/analysis?from=${isoDate(todayMs - 3 * DAY_MS)}&to=${isoDate(todayMs)}&tz=Europe/Berlin`],
  ['wrong-range', '/analysis?from=2026-02-30&to=2026-03-01'],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test.skipIf(!hasBrowser)(`${name}, ${colorScheme}: readable by everybody, also on a phone`, async () => {
      const context = await browser.newContext({ viewport: { width: 360, height: 740 }, colorScheme })
      const page = name === 'wrong-range' ? await context.newPage() : await open(context, path)
      if (name === 'wrong-range') expect((await page.goto(up.serving + path))?.status()).toBe(400)
      const width = await page.evaluate<number>('document.documentElement.scrollWidth')
      expect(width).toBeLessThanOrEqual(360)
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
      await picture(page, `${name}-${colorScheme}`)
      await context.close()
    })
  }
}
