import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { host } from '../../schemas/datasets/host.ts'
import { toLine } from '../../schemas/message.ts'
import { DAY_MS } from '../../schemas/time.ts'
import { hostMessage } from '../sim/messages.ts'
import { hasBrowser, launch, picture } from './chromium.ts'
import { send } from './lines.ts'
import { type Running, startUp } from './up.ts'

const HOURS = 72
/** Days of 23 and of 25 hours. */
const CHANGES = [
  ['2026-03-29', '2025-10-26', 'Europe/Berlin'],
  ['2026-03-08', '2025-11-02', 'America/New_York'],
  ['2025-09-28', '2026-04-05', 'Pacific/Auckland'],
] as const
/** What services may be called. */
const NAMES = ['<script>alert(1)</script>', '../../etc/passwd', '🦊🔥', 'W'.repeat(128), 'שלום עולם']

let data: string
let up: Running
let browser: Browser
const todayMs = Math.floor(Date.now() / DAY_MS) * DAY_MS

beforeAll(async () => {
  if (!hasBrowser) return
  data = await mkdtemp(join(tmpdir(), 'tidemark-browser-'))
  up = await startUp(data, ['--agent-enabled', 'false', '--speed-tick', '1s'])
  await sendHistory(up, todayMs - HOURS * 3_600_000)
  await send(up, [
    ...NAMES.map((service) => line(service, todayMs - 3_600_000, [1, 2, 3])),
    ...CHANGES.flatMap(([short, long]) =>
      [short, long].map((date) => line('checkout', Date.parse(`${date}T06:00Z`), [4, 5, 6])),
    ),
  ])
  // The tidemark is a tick's boundary: the run finds something once a tick is committed.
  while ((await run(up)) !== 'published') await new Promise((resolve) => setTimeout(resolve, 200))
  browser = await launch()
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
      if (service === 'search' && i > 400 && i < 460) continue
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
  // And the last hour, so that something is there now.
  const nowMs = Date.now()
  for (let i = 60; i >= 0; i--)
    for (const [s, service] of ['accounts', 'checkout', 'payments', 'search'].entries())
      lines.push(
        line(service, nowMs - i * 60_000, [30 + 9 * s + 14 * Math.sin(i / (5 + s)), 50 + 4 * s, 60 + s]),
      )
  await send({ collector }, lines)
}

const line = (service: string, timeMs: number, gauges: number[]) =>
  toLine(host, hostMessage({ service, host: `${service.slice(0, 100)}-1`, timeMs, gauges }))

/** Opens a page and fails on whatever it says to the console. */
async function open(context: BrowserContext, path: string): Promise<Page> {
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  const answer = await page.goto(`${up.serving}${path}`)
  await page.locator('h1').first().waitFor()
  await loaded(page)
  // Of a page that is answered with a status of its own the browser says just that.
  const isSaid = (text: string) => text.includes(`status of ${answer!.status()} `)
  expect(complaints.filter((text) => !isSaid(text))).toEqual([])
  return page
}

/** Waits until what the page asked for is there. */
async function loaded(page: Page): Promise<void> {
  if (new URL(page.url()).pathname === '/analysis') {
    const there = page.locator('[data-loaded="true"], .notice').first()
    await there.waitFor()
  } else await page.locator('tbody tr, .flow li, .first, .lead').first().waitFor()
}

const isoDate = (ms: number) => new Date(ms).toISOString().slice(0, 10)
const from = isoDate(todayMs - 3 * DAY_MS)
const to = isoDate(todayMs - DAY_MS)
const three = `from=${from}&to=${to}&tz=UTC`

interface Figures {
  readonly mean: number
  readonly p95: number
  readonly max: number
}
type Stats = { readonly messages: number; readonly service: string } & {
  readonly [gauge in 'cpu' | 'ram' | 'disk']: Figures
}

async function api<T>(path: string): Promise<T> {
  return (await (await fetch(`${up.serving}${path}`)).json()) as T
}

const wide = () => browser.newContext({ viewport: { width: 1400, height: 900 }, timezoneId: 'UTC' })
const percent = (value: number) => `${value.toFixed(1)} %`

test.skipIf(!hasBrowser)('a range picked in the two date pickers shows the figures of the API', async () => {
  const context = await wide()
  const page = await open(context, '/')
  await page.locator('.now meter').first().waitFor()
  await page.locator('.spark path[d^="M"]').nth(3).waitFor({ state: 'attached' })
  await picture(page, 'home')
  await page.getByLabel('From', { exact: true }).fill(from)
  await page.getByLabel('To, that day included').fill(to)
  await page.getByRole('button', { name: 'Show analysis' }).click()
  await page.waitForURL(/\/analysis\?/)
  await loaded(page)
  const range = `from=${from}&to=${isoDate(todayMs)}`
  const { services } = await api<{ services: Stats[] }>(`/v1/analytics?${range}`)
  expect(services.length).toBe(4 + NAMES.length)
  for (const gauge of ['cpu', 'ram', 'disk'] as const) {
    await page
      .getByRole('link', { name: gauge === 'disk' ? 'Disk' : gauge.toUpperCase(), exact: true })
      .click()
    await page.locator(`[data-figure="checkout/${gauge}/mean"]`).waitFor()
    for (const stats of services) {
      const text = (field: string) =>
        page.locator(`[data-figure=${JSON.stringify(`${stats.service}/${gauge}/${field}`)}]`).innerText()
      for (const field of ['mean', 'p95', 'max'] as const)
        expect(await text(field)).toBe(percent(stats[gauge][field]))
    }
  }
  await picture(page, 'analysis')
  await page.evaluate('scrollTo(0, 300)')
  await page.getByRole('link', { name: 'checkout', exact: true }).first().click()
  expect(await page.evaluate('[scrollY, document.activeElement.id]')).toEqual([0, 'content'])
  await page.locator('.chart canvas').nth(2).waitFor()
  const one = await api<Stats>(`/v1/services/checkout/stats?${range}`)
  expect(await page.locator('[data-messages="checkout"]').innerText()).toBe(one.messages.toLocaleString('en'))
  for (const gauge of ['cpu', 'ram', 'disk'] as const)
    for (const field of ['mean', 'p95', 'max'] as const)
      expect(await page.locator(`[data-figure="checkout/${gauge}/${field}"]`).innerText()).toBe(
        percent(one[gauge][field]),
      )
  await picture(page, 'service', true)
  await context.close()
})

test.skipIf(!hasBrowser)('a drag zooms into a chart, and Esc and a double click come back', async () => {
  const context = await wide()
  const page = await open(context, `/analysis?${three}&service=checkout`)
  const drag = async () => {
    const chart = page.locator('.chart .u-over').first()
    const box = await chart.boundingBox().catch(() => null)
    // Charts are drawn anew when the answers have come.
    if (box === null) return
    await page.mouse.move(box.x + box.width * 0.25, box.y + 60)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 5 })
    await page.mouse.up()
  }
  const before = page.url()
  await page.locator('.chart .u-over').nth(2).waitFor()
  for (const back of [
    () => page.keyboard.press('Escape'),
    () => page.locator('.chart .u-over').first().dblclick(),
  ]) {
    const answered = page.waitForResponse(/\/series\?/)
    while (page.url() === before) {
      await drag()
      await page.waitForTimeout(200)
    }
    await answered
    await page.waitForTimeout(300)
    await page.waitForURL((url) => url.href !== before)
    await loaded(page)
    const asked = new URL(page.url()).searchParams
    const hours = (Date.parse(asked.get('to')!) - Date.parse(asked.get('from')!)) / 3_600_000
    expect(hours).toBeGreaterThan(15)
    expect(hours).toBeLessThan(21)
    await back()
    await page.waitForURL(before)
    await loaded(page)
  }
  await context.close()
})

test.skipIf(!hasBrowser)(
  'a service is compared with the time before, with others, and by host; gaps are named',
  async () => {
    const context = await wide()
    const page = await open(context, `/analysis?from=${to}&to=${to}&tz=UTC&service=checkout&compare=before`)
    await page.locator('.u-legend').first().getByText('Period before').waitFor()
    const before = `from=${isoDate(Date.parse(to) - DAY_MS)}&to=${to}`
    const { cpu } = await api<Stats>(`/v1/services/checkout/stats?${before}`)
    await page
      .locator('[data-before="cpu/max"]')
      .getByText(`before ${percent(cpu.max)}`)
      .waitFor()
    await page.goto(`${up.serving}/analysis?${three}&service=checkout&compare=key:search`)
    await page.locator('.u-legend').first().getByText('search, mean').waitFor()
    await page.getByLabel('Compare').selectOption('key:payments')
    await page.locator('.u-legend').first().getByText('payments, mean').waitFor()
    await page.getByRole('link', { name: 'Not with search' }).click()
    await page.locator('.u-legend').first().getByText('search, mean').waitFor({ state: 'detached' })
    await page.keyboard.press('[')
    await page.waitForURL((url) => url.searchParams.get('to') === isoDate(Date.parse(from) - DAY_MS))
    await page.keyboard.press('-')
    await page.waitForURL((url) => url.searchParams.get('to')!.includes('T'))
    // The half of twice the range is that range.
    await page.keyboard.press('+')
    await page.waitForURL((url) => url.searchParams.get('to') === isoDate(Date.parse(from) - DAY_MS))
    await page.goto(`${up.serving}/analysis?${three}&service=checkout&by=host`)
    await page.locator('.u-legend').first().getByText('checkout-3').waitFor()
    await page.getByText('CPU, line by line').click()
    const heads = page.locator('.lines').first().locator('thead th')
    await expect
      .poll(async () => (await heads.allInnerTexts()).slice(1))
      .toEqual(['checkout-1', 'checkout-2', 'checkout-3'])
    await picture(page, 'by-host', true)
    await page.goto(`${up.serving}/analysis?${three}&service=search`)
    await page.locator('figcaption').first().getByText('No messages from').waitFor()
    const early = isoDate(todayMs - 8 * DAY_MS)
    await page.goto(`${up.serving}/analysis?from=${early}&to=${to}&tz=UTC&service=search`)
    await page.locator('figcaption').first().getByText('No messages before').waitFor()
    await context.close()
  },
)

test.skipIf(!hasBrowser)('the days of a change have 23 and 25 rows in their zone', async () => {
  const context = await wide()
  const page = await context.newPage()
  for (const [short, long, zone] of CHANGES)
    for (const [date, hours] of [
      [short, 23],
      [long, 25],
    ] as const) {
      await page.goto(`${up.serving}/analysis?from=${date}&to=${date}&tz=${zone}&service=checkout`)
      await page.getByText('CPU as a table').click()
      await page
        .locator('.buckets tbody tr')
        .nth(hours - 1)
        .waitFor()
      const starts = await page.locator('.buckets tbody th').allInnerTexts()
      expect([zone, date, starts.length, new Set(starts).size]).toEqual([zone, date, hours, hours])
    }
  await context.close()
})

test.skipIf(!hasBrowser)('a lost connection is said, and found again; a link leads to data', async () => {
  const context = await wide()
  const page = await open(context, '/')
  await context.setOffline(true)
  await page.getByText('The connection is lost').waitFor({ timeout: 40_000 })
  expect(await page.locator('.services tbody tr').count()).toBeGreaterThan(4)
  await context.setOffline(false)
  await page.getByText('The connection is lost').waitFor({ state: 'hidden', timeout: 40_000 })
  await page.goto(`${up.serving}/analysis?from=2020-01-01&to=2020-01-02&service=checkout`)
  const to = page.getByRole('link', { name: 'Show the week up to it' })
  await to.waitFor()
  expect(await page.locator('.figures, .chart').count()).toBe(0)
  await to.click()
  await page.locator('[data-messages="checkout"]').getByText(/[1-9]/).waitFor()
  await context.close()
})

test.skipIf(!hasBrowser)('whatever a service is called, it is text that stays in its place', async () => {
  const context = await wide()
  const page = await open(context, '/')
  for (const name of NAMES) {
    const row = page.locator('.services tbody tr').filter({ hasText: name })
    await row.locator('a.row').click()
    await page.locator('h1.key').getByText(name).waitFor()
    await page.locator('.chart canvas').first().waitFor()
    expect(new URL(page.url()).searchParams.get('service')).toBe(name)
    for (const width of [360, 1_400]) {
      await page.setViewportSize({ width, height: 900 })
      expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    }
    await page.goto(`${up.serving}/`)
  }
  // Beside names as long as these all columns are there.
  await page.goto(`${up.serving}/analysis?${three}`)
  await page.locator('.overview tbody tr').nth(NAMES.length).waitFor()
  for (const width of [1_100, 1_280, 1_900, 2_560]) {
    await page.setViewportSize({ width, height: 900 })
    const [inner, outer] = await page
      .locator('.scroll')
      .first()
      .evaluate((one) => {
        const { scrollWidth, clientWidth } = one as unknown as { scrollWidth: number; clientWidth: number }
        return [scrollWidth, clientWidth]
      })
    expect([width, inner]).toEqual([width, outer])
  }
  // Nor does a key of two such names reach into the next column.
  await page.goto(`${up.serving}/?view=host_minute`)
  const long = page.locator('.services tbody tr').filter({ hasText: 'WWWW' })
  for (const width of [1_280, 390]) {
    await page.setViewportSize({ width, height: 900 })
    const [name, cell] = [await long.locator('a.row').boundingBox(), await long.locator('th').boundingBox()]
    expect(name!.x + name!.width).toBeLessThanOrEqual(cell!.x + cell!.width)
    expect((await long.locator('.name').last().boundingBox())!.width).toBeGreaterThan(20)
  }
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto(`${up.serving}/analysis?last=28d`)
  await expect.poll(() => isSeen(page, '.presets [aria-current]')).toBe(true)
  await context.close()
})

/** Whether an element is whole within the width of the window. */
const isSeen = (page: Page, selector: string) =>
  page.evaluate<boolean>(
    `(({ left, right }) => left >= 0 && right <= innerWidth)(document.querySelector('${selector}').getBoundingClientRect())`,
  )

test.skipIf(!hasBrowser)('who goes back is where the page was left', async () => {
  const context = await browser.newContext({ viewport: { width: 1000, height: 400 }, timezoneId: 'UTC' })
  const page = await open(context, `/analysis?${three}`)
  await page.locator('.heat canvas').waitFor()
  const scrolledPx = () => page.evaluate<number>('scrollY')
  await page.locator('.overview a.row').last().focus()
  const before = await scrolledPx()
  expect(before).toBeGreaterThan(200)
  await page.keyboard.press('Enter')
  await page.locator('.chart canvas').first().waitFor()
  expect(await scrolledPx()).toBe(0)
  await page.goBack()
  await page.locator('.heat canvas').waitFor()
  await expect.poll(scrolledPx).toBe(before)
  await context.close()
})

test.skipIf(!hasBrowser)('the first load is small, and a key searches and opens the help', async () => {
  const context = await wide()
  const page = await context.newPage()
  let bytes = 0
  const origins = new Set<string>()
  page.on('response', async (response) => {
    origins.add(new URL(response.url()).origin)
    if (!/\/v1\//.test(response.url())) bytes += (await response.request().sizes()).responseBodySize
  })
  await page.goto(`${up.serving}/`)
  await page.locator('.services tbody tr').nth(3).waitFor()
  expect(bytes).toBeGreaterThan(10_000)
  expect(bytes).toBeLessThan(100_000)
  expect([...origins]).toEqual([up.serving])
  await page.keyboard.press('/')
  await page.keyboard.type('check')
  await expect.poll(() => page.locator('.services tbody tr').count()).toBe(1)
  await page.keyboard.press('Escape')
  await page.keyboard.press('ArrowDown')
  expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('checkout')
  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.goto(`${up.serving}/`)
  const silent = page.getByRole('navigation', { name: 'States' }).getByRole('link', { name: 'silent' })
  await page
    .locator('tr[data-state="silent"]')
    .nth(NAMES.length - 1)
    .waitFor()
  const count = Number.parseInt(await silent.innerText(), 10)
  await silent.click()
  await page.waitForURL(/only=silent/)
  await expect.poll(() => page.locator('.services tbody tr').count()).toBe(count)
  expect(await page.locator('.services tbody tr:not([data-state="silent"])').count()).toBe(0)
  await context.close()
})

for (const [name, path] of [
  ['home', '/'],
  ['analysis', `/analysis?${three}`],
  ['service', `/analysis?${three}&service=checkout`],
  ['live', '/live'],
  ['system', '/system'],
  ['wrong-range', '/analysis?from=2026-02-30&to=2026-03-01'],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test.skipIf(!hasBrowser)(`${name}, ${colorScheme}: readable by everybody, also on a phone`, async () => {
      const context = await browser.newContext({ viewport: { width: 360, height: 740 }, colorScheme })
      const page = await open(context, path)
      const width = await page.evaluate<number>('document.documentElement.scrollWidth')
      expect(width).toBeLessThanOrEqual(360)
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
      await picture(page, `${name}-${colorScheme}`)
      await context.close()
    })
  }
}

test.skipIf(!hasBrowser)('a thousand services scroll smoothly', async () => {
  const lines = Array.from({ length: 1_000 }, (_, i) => line(`many-${i}`, todayMs - 60_000, [i % 100, 2, 3]))
  await send(up, lines)
  const context = await wide()
  const page = await open(context, '/')
  await page.getByRole('heading', { name: /^1,0/ }).waitFor()
  const devtools = await context.newCDPSession(page)
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  /** Processor time of the page's own thread. */
  const busyMs = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics')
    return 1_000 * metrics.find(({ name }) => name === 'TaskDuration')!.value
  }
  const FRAMES = 120
  /** The time that half of the frames take at most, and the processor time of one, while the page moves by so much a frame. */
  const frames = async (movesPx: number) => {
    const beganMs = await busyMs()
    const times = (await page.evaluate(`new Promise((resolve) => {
      const times = []
      let y = 0
      const step = (at) => {
        times.push(at)
        if (${movesPx} > 0) scrollTo(0, (y += ${movesPx}))
        if (times.length < ${FRAMES}) requestAnimationFrame(step)
        else resolve(times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b))
      }
      requestAnimationFrame(step)
    })`)) as number[]
    return { halfMs: times[FRAMES / 2]!, busyMs: ((await busyMs()) - beganMs) / FRAMES }
  }
  const [idle, moved] = [await frames(0), await frames(200)]
  // As fast as the screen, or on a busy machine as while nothing moves; and little work a frame, however slowly it is done.
  expect(moved.halfMs).toBeLessThan(Math.max(40, 2.5 * idle.halfMs))
  expect(moved.busyMs).toBeLessThan(16)
  expect(await page.locator('.services tbody tr').count()).toBeLessThan(200)
  await context.close()
})
