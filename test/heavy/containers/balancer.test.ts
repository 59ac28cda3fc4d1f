import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { nodeClock } from '../../../cli/host/clock.ts'
import { endInOrder } from '../../../serving/http/ending.ts'
import { plainApp } from '../../../serving/http/server.ts'
import { needs } from '../needs.ts'
import { lastingPort, until } from '../watch.ts'

/** deploy/compose/haproxy.cfg before two servers that behave as serving nodes do while they start and end. */

const CONFIG = fileURLToPath(new URL('../../../deploy/compose/haproxy.cfg', import.meta.url))
const ASKED = 20
/** Who ask at once. */
const ASKERS = 4
/** A question is often being answered when its node ends. */
const ANSWER_MS = 20
/** From when a node that is away counts as away: two checks. */
const FOUND_OUT_MS = 3_000

type Behaviour = 'answers' | 'says 503' | 'resets'

const found = needs('haproxy', isThere())

function isThere(): boolean {
  try {
    execFileSync('haproxy', ['-v'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

class Node implements AsyncDisposable {
  behaviour: Behaviour = 'answers'
  readonly #server: Server

  constructor(port: number) {
    this.#server = createServer((request, response) => {
      if (request.url === '/healthz' || this.behaviour === 'answers') response.end('{}')
      else if (this.behaviour === 'resets') request.socket.destroy()
      else response.writeHead(503).end()
    }).listen(port, '127.0.0.1')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

class Balancer implements AsyncDisposable {
  readonly ports: readonly [number, number]
  readonly #url: string
  readonly #dir = mkdtempSync(join(tmpdir(), 'tidemark-balancer-'))
  readonly #child: ChildProcess

  private constructor(port: number, ports: readonly [number, number]) {
    this.#url = `http://127.0.0.1:${port}/v1/services`
    this.ports = ports
    const here = readFileSync(CONFIG, 'utf8')
      .replace(/^resolvers engine\n( {4}.*\n)+/m, '')
      .replace(' init-addr none resolvers engine', '')
      .replace('bind :8080', `bind 127.0.0.1:${port}`)
      .replace('serve-1:8080', `127.0.0.1:${ports[0]}`)
      .replace('serve-2:8080', `127.0.0.1:${ports[1]}`)
    writeFileSync(join(this.#dir, 'haproxy.cfg'), here)
    this.#child = spawn('haproxy', ['-db', '-f', join(this.#dir, 'haproxy.cfg')], { stdio: 'ignore' })
  }

  static async start(): Promise<Balancer> {
    const free = () => lastingPort(Math.random)
    return new Balancer(await free(), [await free(), await free()])
  }

  /** Statuses of questions one after the other; 0 where there was no answer. */
  async ask(method = 'GET'): Promise<number[]> {
    const statuses: number[] = []
    for (let i = 0; i < ASKED; i++)
      statuses.push(
        await fetch(this.#url, { method }).then(
          ({ status }) => status,
          () => 0,
        ),
      )
    return statuses
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill()
    rmSync(this.#dir, { recursive: true })
  }
}

const ALL = Array(ASKED).fill(200)

test.runIf(found)(
  'a question finds the node that answers, while the other starts, ends or says 503',
  async () => {
    await using balancer = await Balancer.start()
    await using second = new Node(balancer.ports[1])
    await until('it listens', async () => (await balancer.ask())[0] === 200)
    expect(await balancer.ask()).toEqual(ALL)

    await using first = new Node(balancer.ports[0])
    await sleep(FOUND_OUT_MS)
    for (const behaviour of ['says 503', 'resets', 'answers'] as const) {
      first.behaviour = behaviour
      expect(await balancer.ask(), behaviour).toEqual(ALL)
    }
    // What may have changed something is not asked twice.
    first.behaviour = 'resets'
    expect(await balancer.ask('POST')).toContain(0)
    // Where no node works, one of them says why.
    first.behaviour = second.behaviour = 'says 503'
    expect(await balancer.ask()).toEqual(Array(ASKED).fill(503))
  },
)

/** A server that starts and ends as a serving node's does. */
async function servingOn(port: number) {
  const app = plainApp(null, { endsInOrder: true })
  app.get('/healthz', async () => ({ ok: true }))
  app.get('/v1/services', async () => {
    await sleep(ANSWER_MS)
    return {}
  })
  await app.listen({ host: '127.0.0.1', port })
  return () => endInOrder(app, nodeClock())
}

test.runIf(found)('nodes end and start in turn, and whoever asks meanwhile notices nothing', async () => {
  await using balancer = await Balancer.start()
  const ends = await Promise.all(balancer.ports.map(servingOn))
  await until('it listens', async () => (await balancer.ask())[0] === 200)
  const statuses: number[] = []
  let isOver = false
  const asking = Array.from({ length: ASKERS }, async () => {
    while (!isOver) statuses.push(...(await balancer.ask()))
  })
  try {
    for (const n of [0, 1, 0, 1] as const) {
      await ends[n]!()
      await sleep(FOUND_OUT_MS / 2)
      ends[n] = await servingOn(balancer.ports[n])
      await sleep(FOUND_OUT_MS)
    }
  } finally {
    isOver = true
    await Promise.all(asking)
    await Promise.all(ends.map((end) => end()))
  }
  expect(statuses.length).toBeGreaterThan(100)
  expect(statuses.filter((status) => status !== 200)).toEqual([])
})
