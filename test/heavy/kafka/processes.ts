import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { bucketServer, KEY, SECRET } from '../bucket-server.ts'
import { type LoadSender, loadMessage } from '../load.ts'
import { lintMetrics, promtool } from '../metrics.ts'
import { environment } from '../up.ts'
import { until } from '../watch.ts'
import type { Login } from './brokers.ts'

const ENTRY = fileURLToPath(new URL('../../../cli/entry.js', import.meta.url))
const DAY_MS = 86_400_000

/** A process of one layer. */
export interface LayerProcess {
  readonly child: ChildProcess
  output(): string
  /** The partitions of the log that it was told are its own, by its last word on that. */
  partitions(): readonly number[]
  /** What its `/metrics` says. */
  metrics(): Promise<string>
}

/** Processes of one layer each that share a log and a lake, in a directory that goes with them. */
export class Processes implements AsyncDisposable {
  readonly dir: string
  readonly shared: readonly string[]
  readonly #all: LayerProcess[] = []

  constructor(dir: string, shared: readonly string[]) {
    this.dir = dir
    this.shared = shared
  }

  /** Starts a layer, and resolves when it says that it is up. */
  async start(name: string, layer: string, ...flags: string[]): Promise<LayerProcess> {
    const own = ['--data', join(this.dir, name), '--health-listen', '127.0.0.1:0']
    const child = spawn(process.execPath, [ENTRY, layer, ...own, ...this.shared, ...flags], {
      env: environment(),
    })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (printed += bytes))
    const made = {
      child,
      output: () => printed,
      partitions: () => {
        const told = [...printed.matchAll(/partitions of this process: ([\d, ]+|none)/g)].at(-1)?.[1]
        return told === undefined || told === 'none' ? [] : told.split(', ').map(Number)
      },
      metrics: async () => {
        const url = /health +(http:\S+)/.exec(printed)![1]
        const text = await (await fetch(`${url}/metrics`)).text()
        if (promtool) expect(lintMetrics(text)).toBe('')
        return text
      },
    }
    this.#all.push(made)
    await until(`${name} is up`, () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${printed}`)
      return printed.includes('is up; Ctrl-C')
    })
    return made
  }

  /** Kills all that run, and begins with none. */
  killAll(): void {
    for (const { child } of this.#all.splice(0)) child.kill('SIGKILL')
  }

  async [Symbol.asyncDispose]() {
    for (const { child } of this.#all) child.kill('SIGKILL')
    await rm(this.dir, { recursive: true, force: true })
  }
}

/** Processes whose log is a topic of those brokers, kept by all of them, and whose lake is a directory unless `lake` says otherwise. */
export async function processesOn(
  brokers: readonly string[],
  {
    lake,
    topic = 'tidemark',
    login,
  }: { lake?: readonly string[]; topic?: string; login?: Login & { readonly ca: string } } = {},
): Promise<Processes> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-layers-'))
  return new Processes(dir, [
    ...['--log-url', `kafka://${brokers.join(',')}/${topic}`],
    ...['--log-replication', String(brokers.length)],
    ...(login === undefined
      ? []
      : ['--log-ca', login.ca, '--log-sasl-username', login.user, '--log-sasl-password', login.password]),
    ...(lake ?? ['--lake-url', join(dir, 'lake')]),
  ])
}

export async function temporaryDir() {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-layers-'))
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}

/** A bucket for a lake, in a directory that goes with it. */
export async function temporaryBucket() {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-bucket-'))
  const server = await bucketServer(dir)
  const key = ['--lake-s3-access-key', KEY, '--lake-s3-secret-key', SECRET]
  return {
    server,
    flags: ['--lake-url', 's3://tide/lake', '--lake-s3-endpoint', server.url, ...key],
    async [Symbol.asyncDispose]() {
      await server.kill()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** What a serving node answers for all of a load. */
export interface Counted {
  readonly messages: number
  readonly complete: boolean
  readonly cpu: number
}

export async function counted(
  serving: string,
  startMs: number,
  headers: { readonly [name: string]: string } = {},
): Promise<Counted> {
  const range = `from=${startMs - DAY_MS}&to=${startMs + DAY_MS}`
  const answer = await fetch(`${serving}/v1/analytics?${range}`, { headers })
  const { services, complete } = (await answer.json()) as {
    services: { messages: number; cpu: { total: number } }[]
    complete: boolean
  }
  const sum = (of: (one: (typeof services)[number]) => number) =>
    services.reduce((all, one) => all + of(one), 0)
  return { messages: sum((one) => one.messages), complete, cpu: sum((one) => one.cpu.total) }
}

/** What it must answer when all messages of all senders count once. */
export function expectedOf(senders: readonly LoadSender[], each: number, startMs: number): Counted {
  let cpu = 0
  for (const { sender } of senders)
    for (let seq = 1; seq <= each; seq++) cpu += loadMessage(startMs, sender, seq).gauges[0]!
  return { messages: senders.length * each, complete: true, cpu }
}

/** A complete answer holds what was acknowledged longer ago than that, with ticks of a second. */
const FRESH_MS = 1_000 + 5_000 + 1_000

/**
 * Asks the nodes again and again until it is told to end: no answer counts more messages than were sent, and complete ones hold
 * those acknowledged before the freshness bound. Resolves with how many answers were complete, and how many not.
 */
export function watchLaw(servings: readonly string[], senders: readonly LoadSender[], startMs: number) {
  const acked: { readonly atMs: number; readonly count: number }[] = []
  const found = { complete: 0, incomplete: 0, wrong: [] as string[] }
  let ended = false
  const sum = (of: (one: LoadSender) => number) => senders.reduce((all, one) => all + of(one), 0)
  const look = async (serving: string) => {
    while (!ended) {
      const atMs = Date.now()
      acked.push({ atMs, count: sum(({ acked }) => acked) })
      const answer = await counted(serving, startMs).catch(() => null)
      const sent = sum(({ highest }) => highest)
      if (answer !== null) {
        found[answer.complete ? 'complete' : 'incomplete'] += 1
        const least = acked.findLast((one) => one.atMs < atMs - FRESH_MS)?.count ?? 0
        if (answer.messages > sent) found.wrong.push(`${answer.messages} count of ${sent} sent`)
        if (answer.complete && answer.messages < least)
          found.wrong.push(`${answer.messages} count, ${least} were acknowledged ${FRESH_MS} ms before`)
      }
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  const looking = Promise.all(servings.map(look))
  return async () => {
    ended = true
    await looking
    return found
  }
}
