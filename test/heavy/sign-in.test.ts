import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { makeCa } from '../cli/host/certificates.ts'
import { needs } from './needs.ts'
import { type Running, runCommand, startUp } from './up.ts'
import { ackMs, until } from './watch.ts'

const CHROMIUM = '/usr/bin/chromium'
const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
const PICTURES = process.env.TIDEMARK_SCREENSHOTS
/** An address of this machine that a browser does not take for the machine itself. */
const address = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

const hasBrowser = needs('chromium', existsSync(CHROMIUM))
let browser: Browser
let dir: string
let up: Running | null = null
beforeAll(async () => {
  if (hasBrowser) browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
})
afterAll(() => browser?.close())
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-sign-in-'))
})
afterEach(async () => {
  await up?.end('SIGTERM')
  up = null
  await rm(dir, { recursive: true })
})

const data = () => join(dir, 'data')
const command = (...args: string[]) => runCommand([...args, '--data', data()])
const makeToken = async (role: string, ...more: string[]) =>
  (await command('token', 'create', '--role', role, ...more)).out.trim()

/** `up` with TLS for pages and API, where also this machine needs tokens. */
async function startSecured(): Promise<Running> {
  const pair = await (await makeCa()).issue({ dns: ['localhost'], ip: ['127.0.0.1'] })
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')]
  await writeFile(cert, pair.cert)
  await writeFile(key, pair.key)
  up = await startUp(data(), [
    '--serving-tls-cert',
    cert,
    '--serving-tls-key',
    key,
    '--tokens-loopback',
    'true',
  ])
  return up
}

/** A page of a browser of its own, what it complained of, and where it sent requests. */
async function newPage(): Promise<{ page: Page; complaints: string[]; origins: Set<string> }> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width: 1000, height: 700 },
  })
  const page = await context.newPage()
  const complaints: string[] = []
  const origins = new Set<string>()
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => origins.add(new URL(request.url()).origin))
  return { page, complaints, origins }
}

async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Access token').fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

test('commands of this machine speak TLS to it and trust its certificate alone', async () => {
  const { serving } = await startSecured()
  expect(serving).toMatch(/^https:/)
  const status = await command('status', '--json')
  expect([status.code, JSON.parse(status.out).log.state]).toEqual([0, 'ok'])
  expect((await command('batch', '--once')).code).toBe(0)
  await expect(fetch(serving)).rejects.toThrow()
  await expect(fetch(serving.replace('https', 'http'))).rejects.toThrow()
})

test.skipIf(!hasBrowser)(
  'a person signs in, looks, is thrown out by a revoked token, and leaves',
  async () => {
    const { serving } = await startSecured()
    const { page, complaints, origins } = await newPage()
    const token = await makeToken('viewer', '--name', 'ann')
    await page.goto(`${serving}/analysis?from=2026-11-22&to=2026-11-22`)
    expect(new URL(page.url()).pathname).toBe('/sign-in')
    expect(await page.getByText('Tidemark', { exact: true }).isVisible()).toBe(true)
    if (PICTURES) await page.screenshot({ path: join(PICTURES, 'sign-in.png') })
    await signIn(page, 'tmk_00000000_guess')
    expect(await page.getByRole('alert').innerText()).toContain('no valid access token')
    await until('the token is known', async () => {
      await signIn(page, token)
      return page.url() === `${serving}/analysis?from=2026-11-22&to=2026-11-22`
    })
    const cookies = await page.context().cookies()
    expect(cookies).toMatchObject([
      { name: '__Host-tidemark', httpOnly: true, secure: true, sameSite: 'Lax' },
    ])
    expect(await page.evaluate('document.cookie')).toBe('')
    await page.goto(serving)
    await page.getByRole('link', { name: 'tidemark', exact: true }).waitFor()
    expect([...origins]).toEqual([serving])
    // The one said of the wrong token.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([])

    await page.goto(`${serving}/sign-in`)
    expect(await page.getByRole('main').innerText()).toContain('ann')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.goto(serving)
    expect(new URL(page.url()).pathname).toBe('/sign-in')
    await signIn(page, token)
    await page.waitForURL(`${serving}/`)
    expect((await command('token', 'revoke', token.slice(4, 12))).code).toBe(0)
    await until('the session is over', async () => {
      // The page may itself be on its way to sign in.
      await page.goto(serving).catch(() => {})
      return new URL(page.url()).pathname === '/sign-in'
    })
    await page.context().close()
  },
)

test('an expired token opens nothing, from the moment that was said', async () => {
  up = await startUp(data(), ['--tokens-loopback', 'true'])
  const { serving } = up
  const token = await makeToken('viewer', '--expires', '3s')
  const status = async () => {
    const answer = await fetch(`${serving}/v1/services`, { headers: { authorization: `Bearer ${token}` } })
    return answer.status
  }
  await until('it opens', async () => (await status()) === 200)
  await until('it is over', async () => (await status()) === 401)
  expect((await command('token', 'create', '--role', 'viewer', '--expires', 'soon')).code).toBe(2)
})

test.skipIf(!hasBrowser || !needs('an address beyond loopback', address !== undefined))(
  'without TLS, by an address, where browsers say less of themselves, signing in and out works too',
  async () => {
    const token = await makeToken('admin')
    up = await startUp(data(), ['--serving-listen', `${address}:0`])
    const { serving } = up
    await ackMs(up.collector.port, 'web')
    const { page, complaints, origins } = await newPage()
    await page.goto(serving)
    await signIn(page, token)
    await page.waitForURL(`${serving}/`)
    expect([...origins]).toEqual([serving])
    const started = await page.evaluate<number>("fetch('/v1/runs', {method: 'POST'}).then((a) => a.status)")
    expect(started).toBe(202)
    await page.goto(`${serving}/sign-in`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(`${serving}/sign-in`)
    expect(await page.evaluate("fetch('/v1/services').then((a) => a.status)")).toBe(401)
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
    await page.context().close()
  },
)
