import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { launch } from '../../test/heavy/chromium.ts'
import { startUp } from '../../test/heavy/up.ts'
import { runNow } from '../runs.ts'
import { importShop, startShop } from './shop.ts'

/** `npm run pictures`: takes those of the README, of a shop that sends to a `tidemark up`. */
const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url))
const WIDTH = 1_280
/** Whoever clones the project loads them all. */
const BYTES_MAX = 160_000
/** So long the shop sends before a run, so that the lake answers for some of it, and then, so that ticks and open cells do. */
const [BEFORE_RUN_MS, BEHIND_RUN_MS] = [60_000, 75_000]
/** What a page has drawn by then stands still but for what is live. */
const DRAWN_MS = 1_500

interface Picture {
  readonly name: string
  readonly path: string
  readonly height: number
  /** What must be there before. */
  readonly there: string
  /** What is done then. */
  before?(page: Page): Promise<void>
}

const PICTURES: readonly Picture[] = [
  { name: 'home', path: '/?tz=UTC', height: 760, there: '.spark path[d*="L"]' },
  { name: 'analysis', path: '/analysis?last=7d&tz=UTC', height: 900, there: '.heat canvas' },
  {
    name: 'service',
    path: '/analysis?last=24h&tz=UTC&service=checkout&compare=before',
    height: 900,
    there: '.chart canvas',
    before: pointAt,
  },
  {
    name: 'live',
    path: '/live?tz=UTC',
    height: 680,
    there: '.spark path[d*="L"]',
    before: () => wait(25_000),
  },
  { name: 'system', path: '/system?tz=UTC', height: 900, there: '.flow li' },
]

/** Points at the busiest time of the day, so that the legend says its values. */
async function pointAt(page: Page): Promise<void> {
  const box = await page.locator('.chart .u-over').first().boundingBox()
  await page.mouse.move(box!.x + box!.width * 0.86, box!.y + box!.height * 0.4)
}

async function take(browser: Browser, serving: string, picture: Picture, colorScheme: 'light' | 'dark') {
  const { name, path, height, there, before } = picture
  const context = await browser.newContext({ viewport: { width: WIDTH, height }, colorScheme })
  const page = await context.newPage()
  await page.goto(`${serving}${path}`)
  await page.locator(there).first().waitFor({ state: 'attached' })
  await wait(DRAWN_MS)
  await before?.(page)
  const file = join(IMAGES, colorScheme === 'dark' ? `${name}-dark.png` : `${name}.png`)
  await page.screenshot({ path: file })
  await context.close()
  const { size } = await stat(file)
  console.log(`${file}  ${Math.round(size / 1_000)} kB`)
  if (size > BYTES_MAX) throw new Error(`${file} is larger than ${BYTES_MAX / 1_000} kB`)
}

const dir = await mkdtemp(join(tmpdir(), 'tidemark-pictures-'))
const up = await startUp(join(dir, 'data'), ['--agent-enabled', 'false'])
try {
  const nowMs = Date.now()
  await importShop(join(dir, 'data'), join(dir, 'shop.csv'), nowMs)
  await using _ = startShop(up, nowMs)
  await wait(BEFORE_RUN_MS)
  await runNow(up.serving)
  await wait(BEHIND_RUN_MS)
  const browser = await launch()
  for (const scheme of ['light', 'dark'] as const)
    for (const picture of PICTURES) await take(browser, up.serving, picture, scheme)
  await browser.close()
} finally {
  await up.end('SIGTERM')
  await rm(dir, { recursive: true })
}
