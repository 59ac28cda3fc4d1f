import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasBrowser, launch, picture } from './chromium.ts'
import { send } from './lines.ts'
import { type Between, startProxy } from './proxy.ts'
import { type Running, startUp } from './up.ts'

let data: string
let up: Running
let proxy: Between
let browser: Browser

beforeAll(async () => {
  if (!hasBrowser) return
  data = await mkdtemp(join(tmpdir(), 'tidemark-live-'))
  up = await startUp(data, ['--agent-enabled', 'false'])
  proxy = await startProxy(up.serving)
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await proxy?.close()
  await up?.end('SIGTERM')
  if (data) await rm(data, { recursive: true, force: true })
})

const HOSTS = ['web-1', 'web-2', 'db-1']
let sent = 0

/** One message of each host, of now. */
async function sendSome(): Promise<void> {
  sent += 1
  const line = (host: string, i: number) =>
    JSON.stringify({
      service: host.split('-')[0],
      host,
      cpu: (sent * 17 + i * 30) % 100,
      ram: 40 + i,
      disk: 50,
      time_stamp: Date.now(),
    })
  await send(up, HOSTS.map(line))
}

const rowOf = (page: Page, cell: string) => page.locator(`tr[data-cell="${cell}"]`)
const messagesOf = async (page: Page, cell: string) =>
  Number(await rowOf(page, cell).locator('[data-gauge="messages"]').innerText())
const streams = () => proxy.asked.filter(({ path }) => path.startsWith('/v1/live'))

async function live(context: BrowserContext): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${proxy.url}/live`)
  return page
}

test.skipIf(!hasBrowser)('an empty system turns into data without a reload', async () => {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } })
  const home = await context.newPage()
  await home.goto(`${proxy.url}/`)
  await home.getByText('No messages yet').waitFor()
  const live_ = await live(context)
  await live_.getByText('Nothing has come within five minutes').waitFor()
  await sendSome()
  await home.locator('tr[data-key="web"]').waitFor({ timeout: 5_000 })
  await rowOf(live_, 'host_minute/web/web-1').waitFor({ timeout: 5_000 })
  expect(await home.getByText('No messages yet').count()).toBe(0)
  await context.close()
})

/** Notes when the browser shows another state of a cell; resolves to what it has noted so far. */
async function watchCell(page: Page, cell: string): Promise<() => Promise<number[]>> {
  await page.evaluate(`{
    const row = () => document.querySelector('tr[data-cell="${cell}"]')
    // With its minute: of two minutes the first message is the same number.
    const state = () => [row().querySelector('time').dateTime, row().querySelector('[data-gauge="messages"]').innerText].join()
    let last = state()
    window.shownMs = []
    new MutationObserver(() => {
      if (state() === last) return
      last = state()
      shownMs.push(Date.now())
    }).observe(document.body, { subtree: true, childList: true, characterData: true })
  }`)
  return () => page.evaluate<number[]>('shownMs')
}

test.skipIf(!hasBrowser)('open cells move by service and by host, and are those of the API', async () => {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } })
  const page = await live(context)
  await rowOf(page, 'service_minute/web').waitFor()
  const shown = await watchCell(page, 'host_minute/web/web-1')
  const tookMs: number[] = []
  for (let i = 0; i < 6; i++) {
    const before = (await shown()).length
    const takenMs = Date.now()
    await sendSome()
    await expect.poll(async () => (await shown()).length, { timeout: 10_000 }).toBe(before + 1)
    tookMs.push((await shown()).at(-1)! - takenMs)
    await page.waitForTimeout(300)
  }
  // From the clock of who sampled it to the page; longer now and then on a machine that is busy with other things as well.
  expect(tookMs.sort((a, b) => a - b)[3]).toBeLessThan(1_000)
  expect(tookMs.at(-1)).toBeLessThan(5_000)
  await page.locator('tr.newest[data-cell="host_minute/web/web-2"]').waitFor({ timeout: 5_000 })
  await page.locator('.spark path[d*="L"]').first().waitFor({ state: 'attached' })
  await picture(page, 'live')
  // Whatever came is shown by then.
  await expect.poll(() => page.locator('tr.newest').count(), { timeout: 10_000 }).toBe(0)
  const rows = await page.evaluate<{ cell: string; time: string; figures: [string, string][] }[]>(
    `[...document.querySelectorAll('tr[data-cell]')].map((row) => ({
      cell: row.dataset.cell,
      time: row.querySelector('time').dateTime,
      figures: [...row.querySelectorAll('[data-gauge]')].map((td) => [td.dataset.gauge, td.innerText]),
    }))`,
  )
  expect(rows.map(({ cell }) => cell)).toEqual([
    'service_minute/db',
    'host_minute/db/db-1',
    'service_minute/web',
    'host_minute/web/web-1',
    'host_minute/web/web-2',
  ])
  for (const { cell, time, figures } of rows) {
    const [view, service, host] = cell.split('/')
    const query = new URLSearchParams({ service: service!, ...(host && { host }), from: time })
    query.set('to', new Date(Date.parse(time) + 60_000).toISOString())
    const answer = await fetch(`${up.serving}/v1/views/${view}/stats?${query}`)
    const stats = (await answer.json()) as { messages: number } & { [gauge: string]: { mean: number } }
    for (const [gauge, text] of figures)
      expect([cell, gauge, text]).toEqual([
        cell,
        gauge,
        gauge === 'messages' ? String(stats.messages) : `${stats[gauge]!.mean.toFixed(1)} %`,
      ])
  }
  await page.getByLabel('Search').fill('web-2')
  await expect.poll(() => page.locator('tr[data-cell]').count()).toBe(2)
  await context.close()
})

test.skipIf(!hasBrowser)(
  'all tabs share one stream, which goes on behind its last event after a cut',
  async () => {
    const context = await browser.newContext()
    const before = streams().length
    const tabs = [await live(context), await live(context), await live(context)]
    for (const tab of tabs) await rowOf(tab, 'service_minute/db').waitFor()
    // One of services, one of hosts.
    expect(streams().length - before).toBe(2)
    await sendSome()
    const count = await messagesOf(tabs[0]!, 'service_minute/db')
    await expect.poll(() => messagesOf(tabs[2]!, 'service_minute/db')).toBeGreaterThanOrEqual(count)
    proxy.cut(true)
    for (const tab of tabs) await tab.getByText('The connection is lost').waitFor({ timeout: 10_000 })
    await sendSome()
    const atCut = streams().length
    proxy.cut(false)
    for (const tab of tabs)
      await tab.getByText('The connection is lost').waitFor({ state: 'hidden', timeout: 10_000 })
    const back = streams().slice(atCut)
    expect(back.length).toBe(2)
    for (const { lastId } of back) expect(lastId).toMatch(/^[0-9a-f]+-\d+$/)
    await expect
      .poll(async () => (await tabs[1]!.locator('tr.newest').count()) > 0, { timeout: 5_000 })
      .toBe(true)
    await context.close()
  },
)

test.skipIf(!hasBrowser)('a browser without such workers follows in each tab', async () => {
  const context = await browser.newContext()
  await context.addInitScript('delete window.SharedWorker')
  const before = streams().length
  const tabs = [await live(context), await live(context)]
  await sendSome()
  for (const tab of tabs) await rowOf(tab, 'service_minute/db').waitFor()
  expect(streams().length - before).toBe(4)
  await context.close()
})
