import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasBrowser, launch, picture } from './chromium.ts'
import { send } from './lines.ts'
import { type Running, startUp } from './up.ts'

const CONFIG = `
[datasets.sensors]
keys = ["site"]
source = "probe"
[datasets.sensors.gauges.temperature]
unit = "°C"
min = -80
max = 80
[datasets.sensors.gauges.free_memory]
unit = "MiB"
optional = true
`
/** More than one page of the API. */
const SERVICES = 2_100
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

let data: string
let up: Running
let browser: Browser
/** A whole minute some time ago. The half hour from it lies within a date of UTC: over midnight times are said with their dates, which take more room. */
const startMs = beforeMidnight(Math.floor(Date.now() / 60_000) * 60_000 - HOUR_MS)

function beforeMidnight(ms: number): number {
  return ms % DAY_MS >= DAY_MS - HOUR_MS / 2 ? ms - HOUR_MS / 2 : ms
}

beforeAll(async () => {
  if (!hasBrowser) return
  data = await mkdtemp(join(tmpdir(), 'tidemark-pages-'))
  await writeFile(join(data, 'tidemark.toml'), CONFIG)
  const config = ['--config', join(data, 'tidemark.toml')]
  up = await startUp(join(data, 'data'), ['--agent-enabled', 'false', ...config])
  const time_stamp = (i: number) => startMs + i * 60_000
  const host = (service: string, i: number) =>
    JSON.stringify({
      service,
      host: `${service}-1`,
      time_stamp: time_stamp(i),
      cpu: i + 0.5,
      ram: 2,
      disk: 3,
    })
  await send(up, [
    ...Array.from({ length: 30 }, (_, i) => host('checkout', i)),
    ...Array.from({ length: SERVICES - 1 }, (_, i) => host(`many-${i}`, 5)),
    ...Array.from({ length: 30 }, (_, i) =>
      JSON.stringify({
        dataset: 'sensors',
        site: 'roof',
        probe: 'p1',
        time_stamp: time_stamp(i),
        temperature: i - 10,
      }),
    ),
  ])
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await up?.end('SIGTERM')
  if (data) await rm(data, { recursive: true, force: true })
})

const wide = () => browser.newContext({ viewport: { width: 1400, height: 900 }, timezoneId: 'UTC' })
const iso = (ms: number) => new Date(ms).toISOString()
const range = `from=${iso(startMs)}&to=${iso(startMs + HOUR_MS / 2)}&tz=UTC`

/** Opens a page in a context of its own. */
async function open(path: string): Promise<Page> {
  const page = await (await wide()).newPage()
  await page.goto(`${up.serving}${path}`)
  return page
}
const close = (page: Page) => page.context().close()

test.skipIf(!hasBrowser)('a dataset of one’s own has the same pages, with its labels and units', async () => {
  const page = await open(`/analysis?${range}&view=sensors_minute&site=roof`)
  await page.getByRole('heading', { name: 'Temperature' }).waitFor()
  await page.getByRole('heading', { name: 'Free memory' }).waitFor()
  const answer = await fetch(`${up.serving}/v1/views/sensors_minute/stats?site=roof&${range}`)
  const { temperature } = (await answer.json()) as { temperature: { mean: number; max: number } }
  for (const field of ['mean', 'max'] as const)
    await page
      .locator(`[data-figure="roof/temperature/${field}"]`)
      .getByText(`${temperature[field].toFixed(1)} °C`)
      .waitFor()
  await page.getByText('Free memory was not measured in this range.').waitFor()
  await page.locator('.chart canvas').first().waitFor()
  await picture(page, 'own-dataset', true)
  await page.goto(`${up.serving}/`)
  await page.locator('.services tbody tr').nth(20).waitFor()
  await page.getByLabel('View').selectOption('sensors_minute')
  await page.getByRole('columnheader', { name: 'Site' }).waitFor()
  // Nothing of the view before is shown as one of this.
  await expect.poll(() => page.locator('.services tbody a.row').allInnerTexts()).toEqual(['roof'])
  await page.getByRole('columnheader', { name: 'Temperature now' }).waitFor()
  await page.goto(`${up.serving}/analysis?${range}`)
  await page.getByLabel('View').selectOption('sensors_minute')
  await page.locator('.overview tbody a.row').getByText('roof', { exact: true }).waitFor()
  await page.goto(`${up.serving}/live?view=sensors_minute`)
  await page.getByRole('heading', { name: 'Live' }).waitFor()
  await send(up, [JSON.stringify({ dataset: 'sensors', site: 'roof', probe: 'p1', temperature: 21 })])
  await page.locator('tr[data-cell="sensors_minute/roof"]').getByText('21.0 °C').waitFor()
  await close(page)
})

test.skipIf(!hasBrowser)('CSV, Parquet and PNG are saved under names of their own', async () => {
  const page = await open(`/analysis?${range}&service=checkout`)
  await page.locator('.chart canvas').nth(2).waitFor()
  const save = async (click: () => Promise<void>) => {
    const [download] = await Promise.all([page.waitForEvent('download'), click()])
    const path = join(data, 'saved')
    await download.saveAs(path)
    return { name: download.suggestedFilename(), bytes: await readFile(path) }
  }
  const csv = await save(() => page.locator('.downloads').getByRole('link', { name: 'CSV' }).click())
  expect(csv.name).toMatch(/\.csv$/)
  expect([...csv.bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
  expect(csv.bytes.toString('utf8').trim().split('\r\n')).toHaveLength(31)
  const parquet = await save(() => page.locator('.downloads').getByRole('link', { name: 'Parquet' }).click())
  expect(parquet.name).toMatch(/\.parquet$/)
  const { buffer, byteOffset, byteLength } = parquet.bytes
  const file = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
  expect(await parquetReadObjects({ file })).toHaveLength(30)
  const png = await save(() => page.getByRole('button', { name: 'PNG of CPU' }).click())
  expect(png.name).toBe('checkout-cpu.png')
  expect(png.bytes.subarray(1, 4).toString()).toBe('PNG')
  // Above the chart its title, below it its legend.
  const chart = await page.evaluate<number>(`document.querySelector('.chart canvas').height`)
  expect(png.bytes.readUInt32BE(20)).toBeGreaterThan(chart + 36)
  await close(page)
})

test.skipIf(!hasBrowser)(
  'print keeps a chart with its legend, a heading with its table, and no tools',
  async () => {
    const page = await open(`/analysis?${range}&service=checkout`)
    await page.locator('.chart canvas').nth(2).waitFor()
    await page.emulateMedia({ media: 'print' })
    const rules = await page.evaluate<{ hidden: string[]; inside: string[]; after: string }>(`({
    hidden: ['.top nav', '.picker', '.tools', 'footer'].map((one) => getComputedStyle(document.querySelector(one)).display),
    inside: ['.chart-section', 'figure', 'tr'].map((one) => getComputedStyle(document.querySelector(one)).breakInside),
    after: getComputedStyle(document.querySelector('h2')).breakAfter,
  })`)
    expect(rules).toEqual({
      hidden: ['none', 'none', 'none', 'none'],
      inside: ['avoid', 'avoid', 'avoid'],
      after: 'avoid',
    })
    await page.locator('figure .u-legend').first().waitFor()
    // A section fits a page: nothing is torn apart that could be whole.
    const heights = await page.evaluate<number[]>(
      `[...document.querySelectorAll('.chart-section')].map((one) => one.getBoundingClientRect().height)`,
    )
    for (const height of heights) expect(height).toBeLessThan(900)
    // The chart was drawn for a wide screen; all of it is on a narrow paper, before anything is drawn anew.
    const fits = await page.evaluate<boolean>(`(() => {
      const chart = document.querySelector('.chart')
      chart.parentElement.style.width = '300px'
      return chart.querySelector('canvas').getBoundingClientRect().width <= 300
    })()`)
    expect(fits).toBe(true)
    await page.evaluate(`localStorage.setItem('tidemark-theme', 'dark')`)
    const themeAt = (event: string) =>
      page.evaluate<string>(`(dispatchEvent(new Event('${event}')), document.documentElement.dataset.theme)`)
    expect(await themeAt('afterprint')).toBe('dark')
    expect(await themeAt('beforeprint')).toBe('light')
    expect(await themeAt('afterprint')).toBe('dark')
    expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(10_000)
    await close(page)
  },
)

for (const path of ['/', `/analysis?${range}`, `/analysis?${range}&service=checkout`, '/live', '/system'])
  test.skipIf(!hasBrowser)(`${path.split('from')[0]} loads without moving what is there`, async () => {
    const context = await wide()
    const page = await context.newPage()
    await page.addInitScript(`
      window.shifts = []
      new PerformanceObserver((list) => {
        for (const { value, hadRecentInput, sources } of list.getEntries())
          if (!hadRecentInput)
            shifts.push([value, ...sources.map(({ node, previousRect: from, currentRect: to }) =>
              [node?.className || node?.nodeName, from.x, from.y, '→', to.x, to.y].join(' '))])
      }).observe({ type: 'layout-shift', buffered: true })`)
    let bytes = 0
    page.on('response', async (response) => {
      if (!/\/v1\//.test(response.url())) bytes += (await response.request().sizes()).responseBodySize
    })
    await page.goto(`${up.serving}${path}`)
    await page.locator('tbody tr, .flow li, [data-loaded="true"], .lead').first().waitFor()
    await page.waitForTimeout(2_500)
    const shifts = await page.evaluate<[number, ...string[]][]>('window.shifts')
    const sum = shifts.reduce((all, [value]) => all + value, 0)
    expect(sum, JSON.stringify(shifts)).toBeLessThan(0.05)
    expect(bytes).toBeLessThan(100_000)
    await context.close()
  })

test.skipIf(!hasBrowser)(
  'a wrong range is said with 400; a date that a zone left out is one without length',
  async () => {
    const page = await (await wide()).newPage()
    const wrong = await page.goto(`${up.serving}/analysis?from=2026-02-30&to=2026-03-01`)
    expect(wrong!.status()).toBe(400)
    await page.getByText('the month has no such day').waitFor()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    for (const of of ['', '&service=checkout']) {
      const skipped = `from=2011-12-30&to=2011-12-30&tz=Pacific/Apia${of}`
      const right = await page.goto(`${up.serving}/analysis?${skipped}`)
      expect(right!.status()).toBe(200)
      await page.getByText('No messages in this range').waitFor()
    }
    expect(errors).toEqual([])
    await close(page)
  },
)

test.skipIf(!hasBrowser)(
  'of more services than a page of the API holds, search finds every one',
  async () => {
    const page = await open('/')
    await page.getByRole('heading', { name: '2,100 services' }).waitFor()
    await page.getByText('The first 2,000 of 2,100 are listed').waitFor()
    await page.getByLabel('Search').fill('many-999')
    await expect.poll(() => page.locator('.services tbody tr').count(), { timeout: 10_000 }).toBe(1)
    await page.locator('tr[data-key="many-999"]').waitFor()
    await page.getByLabel('Search').fill('no such service')
    await page.getByText('No service is named like that.').waitFor()
    await page.getByLabel('Search').fill('')
    await page.getByRole('heading', { name: '2,100 services' }).waitFor()
    await page.goto(`${up.serving}/analysis?${range}`)
    await page.getByText('The first 2,000 of 2,100 services').waitFor()
    // The one with the highest maximum is not among the first names alone.
    await page.locator('.overview tbody tr').first().getByText('checkout', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Show all 2,000' }).waitFor()
    await page.getByLabel('Search').fill('many-2098')
    await expect.poll(() => page.locator('.overview tbody a.row').allInnerTexts()).toEqual(['many-2098'])
    await close(page)
  },
)

test.skipIf(!hasBrowser)('a name that nothing has says so, and leads to those alike', async () => {
  const page = await open(`/analysis?${range}&service=many-20`)
  await page.locator('.chart canvas').first().waitFor()
  await page.goto(`${up.serving}/analysis?${range}&service=checkou`)
  await page.getByText('No message of this service ever came.').waitFor()
  expect(await page.locator('.chart, .figures').count()).toBe(0)
  await page.getByRole('link', { name: 'Search for its name' }).click()
  await page.locator('.overview a.row').getByText('checkout', { exact: true }).waitFor()
  await close(page)
})

test.skipIf(!hasBrowser)(
  'a time zone that there is not is said at its field, and nothing else is shown',
  async () => {
    const page = await open(`/analysis?${range}`)
    const before = page.url()
    const wrong = () => page.evaluate<string>(`document.getElementById('tz').validationMessage`)
    await page.getByLabel('Time zone').fill('Mars/Olympus')
    await page.getByRole('button', { name: 'Show analysis' }).click()
    expect(await wrong()).toContain('There is no such time zone')
    expect(page.url()).toBe(before)
    await page.getByLabel('Time zone').fill('Asia/Tokyo')
    await page.getByRole('button', { name: 'Show analysis' }).click()
    await page.waitForURL(/tz=Asia%2FTokyo/)
    expect(await wrong()).toBe('')
    await close(page)
  },
)

test.skipIf(!hasBrowser)('a path that leads nowhere says so, and where others lead', async () => {
  const page = await (await wide()).newPage()
  const answer = await page.goto(`${up.serving}/analytics`)
  expect(answer!.status()).toBe(404)
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
  await page.getByRole('link', { name: 'Analysis' }).last().click()
  await page.locator('.overview tbody tr').first().waitFor()
  await close(page)
})

test.skipIf(!hasBrowser)('a link that names no range opens where the last message is', async () => {
  const time_stamp = Date.parse('2026-06-21T12:00:00Z')
  await send(up, [JSON.stringify({ service: 'silent', host: 'a', time_stamp, cpu: 1, ram: 2, disk: 3 })])
  const page = await open('/analysis?service=silent&tz=UTC')
  await page.locator('[data-messages="silent"]').getByText('1', { exact: true }).waitFor()
  const asked = new URL(page.url()).searchParams
  expect([asked.get('from'), asked.get('to')]).toEqual(['2026-06-15', '2026-06-21'])
  await close(page)
})
