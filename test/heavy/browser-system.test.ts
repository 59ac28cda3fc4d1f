import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasBrowser, launch, picture } from './chromium.ts'
import { send } from './lines.ts'
import { type Running, startUp } from './up.ts'

let data: string
let up: Running
let browser: Browser

beforeAll(async () => {
  if (!hasBrowser) return
  data = await mkdtemp(join(tmpdir(), 'tidemark-system-'))
  // The agent of this process is the one that is shown; a message an hour leaves figures alone.
  up = await startUp(data, ['--speed-tick', '1s', '--agent-interval', '1h'])
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await up?.end('SIGTERM')
  if (data) await rm(data, { recursive: true, force: true })
})

interface Answer {
  readonly time: string
  readonly state: string
  readonly collector: { readonly accepted: number }
  readonly log: { readonly end: number }
  readonly lake: { readonly versions: { readonly host: number } }
  readonly speed: object
  readonly batch: object
  readonly serving: { readonly views: readonly ServedView[] }
  readonly agents: readonly { readonly agent: string; readonly version: string }[]
}
interface ServedView {
  readonly view: string
  readonly view_version: number
  readonly tidemark: readonly number[]
  readonly keys: number
}
const api = async (path: string) => (await (await fetch(`${up.serving}${path}`)).json()) as Answer
const asShown = (n: number) => n.toLocaleString('en')

test.skipIf(!hasBrowser)('every figure of the system page is that of the API', async () => {
  const bad = ['{"service":"web","cpu":"x","ram":1,"disk":1}', 'no json']
  const good = Array.from(
    { length: 1_500 },
    (_, i) => `{"service":"web-${i % 7}","cpu":${i % 90},"ram":2,"disk":3}`,
  )
  await send(up, [...good, ...bad])
  const { run } = (await (await fetch(`${up.serving}/v1/runs`, { method: 'POST' })).json()) as { run: string }
  await expect.poll(async () => (await api(`/v1/runs/${run}`)).state, { timeout: 30_000 }).toBe('ended')
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } })
  await page.goto(`${up.serving}/system`)
  await page.getByText('Everything flows.').waitFor()
  await page.locator('meter.disk').waitFor({ timeout: 40_000 })
  const figure = (path: string) => page.locator(`[data-figure="${path}"]`).first()
  const { collector, log, serving, lake } = await api('/v1/status')
  const { agents } = await api('/v1/agents?connected=1')
  expect(collector.accepted).toBeGreaterThanOrEqual(1_500)
  for (const [path, value] of [
    ['collector/accepted', collector.accepted],
    ['collector/refused', 2],
    ['refusals/E_GAUGE', 1],
    ['refusals/E_JSON', 1],
    ['agents/total', 1],
    [`${agents[0]!.agent}/lost`, 0],
    ['log/end', log.end],
    ['lake/versions/host', lake.versions.host],
    ...serving.views.flatMap((one): [string, number][] => [
      [`${one.view}/view_version`, one.view_version],
      [`${one.view}/tidemark`, one.tidemark[0]!],
      [`${one.view}/keys`, one.keys],
    ]),
  ] as const)
    expect([path, await figure(path).innerText()]).toEqual([path, asShown(value)])
  await page.getByRole('region', { name: 'Runs' }).getByText('published').first().waitFor()
  await page.getByRole('region', { name: 'Lines refused last' }).getByText('E_GAUGE').waitFor()
  await page.getByRole('region', { name: 'Agents' }).getByText(agents[0]!.version).waitFor()
  await picture(page, 'system', true)
  await page.close()
})

test.skipIf(!hasBrowser)('where it sticks is said first, and drawn', async () => {
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } })
  const status = await api('/v1/status')
  const reason = 'sealing is 9000000000 bytes behind; senders wait for it'
  const active = {
    run: 'a',
    full: true,
    stage: 'compute',
    progress: { done: 3, total: 30 },
    started: status.time,
  }
  await page.route('**/v1/status', (route) =>
    route.fulfill({
      json: {
        ...status,
        collector: { ...status.collector, state: 'waiting', reason },
        speed: { ...status.speed, lag_blocks: 4, lag_ms: 65_000 },
        batch: { ...status.batch, state: 'running', active },
      },
    }),
  )
  await page.goto(`${up.serving}/system`)
  await page.getByRole('status').filter({ hasText: 'It sticks at: Collector' }).waitFor()
  const level = (layer: string) => page.locator(`[data-layer="${layer}"]`).getAttribute('data-level')
  expect([await level('collector'), await level('speed'), await level('lake')]).toEqual([
    'stuck',
    'late',
    'ok',
  ])
  await page.locator('[data-layer="speed"]').getByText('4 blocks, 1 min behind').first().waitFor()
  await page.locator('[data-layer="batch"]').getByText('Everything anew: compute').waitFor()
  expect(await page.locator('progress').getAttribute('value')).toBe('3')
  await picture(page, 'system-stuck')
  await page.close()
})

test.skipIf(!hasBrowser)('a node that only serves says which layers are elsewhere', async () => {
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } })
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  const { time, serving } = await api('/v1/status')
  const elsewhere = { state: 'elsewhere', reason: 'the process itself tells' }
  const lake = { ...elsewhere, covered: { 0: 5 }, versions: { host: 3 }, lag_blocks: 2 }
  const speed = {
    ...elsewhere,
    at_log_end: time,
    late_after: new Date(Date.now() + 1e6).toISOString(),
    chains: [],
  }
  await page.route('**/v1/status', (route) =>
    route.fulfill({
      json: {
        ...{ time, serving, lake, speed, collector: elsewhere, stored: [] },
        log: { ...elsewhere, known_to: { 0: 7 } },
        batch: { ...elsewhere, last: null },
      },
    }),
  )
  await page.goto(`${up.serving}/system`)
  await page.getByText('Everything flows, as far as this process sees.').waitFor()
  expect(await page.getByText('the process itself tells').count()).toBe(5)
  await page.locator('[data-layer="lake"]').getByText('2 blocks behind').waitFor()
  await page.getByRole('region', { name: 'Hosts' }).getByText('web-0').waitFor()
  const levels = await page
    .locator('[data-layer]')
    .evaluateAll((layers) =>
      layers.map((layer) => (layer as unknown as { dataset: { level: string } }).dataset.level),
    )
  expect(levels).toEqual(['away', 'away', 'away', 'away', 'away', 'away', 'ok'])
  await page.getByRole('region', { name: 'Views' }).getByText('service_minute').waitFor()
  expect(errors).toEqual([])
  await page.close()
})

test.skipIf(!hasBrowser)('a server that halts is not said to be well', async () => {
  const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } })
  await page.goto(`${up.serving}/system`)
  await page.getByText('Everything flows.').waitFor()
  up.child.kill('SIGSTOP')
  try {
    await page.getByText('How it is now is not known').waitFor({ timeout: 20_000 })
    await page.getByText('The connection is lost').waitFor()
    expect(await page.getByText('Everything flows.').count()).toBe(0)
    await picture(page, 'system-unknown')
  } finally {
    up.child.kill('SIGCONT')
  }
  await page.getByText('Everything flows.').waitFor({ timeout: 20_000 })
  await page.close()
})
