import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { Closing } from '../../../cli/compose/closing.ts'
import { type LayerName, startBatchAlone, startLayer } from '../../../cli/compose/layers/start.ts'
import { nodeClock } from '../../../cli/host/clock.ts'
import { nodeDisk } from '../../../cli/host/disk.ts'
import { nodeRandom } from '../../../cli/host/random.ts'
import { resolveSettings } from '../../../cli/settings/settings.ts'
import { ownsAll } from '../../../log/ownership.ts'
import type { Log } from '../../../log/port.ts'
import { SimLog } from '../../sim/log.ts'

const closings: Closing[] = []
const folders: string[] = []

afterEach(async () => {
  for (const closing of closings.splice(0).reverse()) await closing.close()
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

/** A deployment whose processes meet in a folder and in one log of three partitions that may hold repeats. */
async function deployment() {
  const root = await mkdtemp(join(tmpdir(), 'layers-'))
  folders.push(root)
  const log = Object.assign(new SimLog([0, 1, 2]), { repeats: true })
  let count = 0
  const lines: string[] = []

  function processOf(flags: Record<string, string> = {}) {
    const settings = resolveSettings({
      flags: {
        data: join(root, `data-${count++}`),
        'lake-url': join(root, 'lake'),
        'log-url': 'kafka://127.0.0.1:9092/tidemark',
        'log-partitions': '3',
        'collector-listen': '127.0.0.1:0',
        'serving-listen': '127.0.0.1:0',
        'speed-tick': '1s',
        'batch-engine': 'reference',
        ...flags,
      },
      env: {},
      file: null,
      cwd: root,
    })
    const closing = new Closing((line) => void lines.push(line))
    closings.push(closing)
    const logLine = (line: string) => void lines.push(line)
    const failed = (error: Error) => void lines.push(error.message)
    const host = { disk: nodeDisk(), clock: nodeClock(), random: nodeRandom(), logLine, failed }
    // Each collector knows of senders what it took itself, as if the others were elsewhere.
    const known = new Map<string, number>()
    const senders = { highestSeq: (agent: string) => known.get(agent) ?? 0 }
    const share = () => ({ ...ownsAll(log), failing: null, close: async () => {} })
    const openLog = async () => ({ log: log as Log, senders, share })
    return { settings, host, closing, openLog }
  }

  async function start(name: LayerName, flags: Record<string, string> = {}) {
    const { settings, host, closing, openLog } = processOf(flags)
    const layer = await startLayer(name, settings, openLog, host, closing)
    return { layer, closing, where: layer.greeting[0]?.[1] ?? '' }
  }

  async function batch() {
    const { settings, host, closing, openLog } = processOf()
    const options = { scheduled: false }
    return (await startBatchAlone(settings, openLog, host, closing, options)).batch
  }
  return { start, batch, lines }
}

/** Sends the messages `from` to `to` of an agent, and resolves when all are acknowledged. */
async function send(collector: string, agent: string, from: number, to: number): Promise<void> {
  const [host, port] = collector.split(':')
  const socket = connect(Number(port), host)
  const message = (seq: number) => ({ service: 'web', host: agent, cpu: seq, ram: 1, disk: 1, seq })
  const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i)
  for (const line of [{ hello: 1, agent }, ...numbers.map(message)]) socket.write(`${JSON.stringify(line)}\n`)
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    if (text.includes(`{"ack":${to}}`)) break
  }
  socket.destroy()
}

interface Answer {
  readonly messages: number
  readonly complete: boolean
  readonly cpu?: { readonly total: number }
  readonly answered_by: { readonly batch: number; readonly realtime: number }
}

interface ServedStatus {
  readonly time: string
  readonly collector: object
  readonly log: { readonly known_to: object }
  readonly lake: { readonly versions: { readonly host: number } }
  readonly speed: { readonly late_after: string }
  readonly batch: { readonly last_views: readonly object[] }
}

const stats = async (node: string) => (await (await fetch(`${node}/v1/services/web/stats`)).json()) as Answer

/** The answer of a node, once it is whole and counts `messages`. */
async function whole(node: string, messages: number): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const answer = await stats(node)
    if (answer.complete && answer.messages === messages) return answer
    if (tries === 100) throw new Error(`it answers ${JSON.stringify(answer)}`)
    await wait(100)
  }
}

test('layers that meet in log and lake alone count each message once, whichever collector took it', async () => {
  const { start, batch } = await deployment()
  const [one, two] = [await start('collector'), await start('collector')]
  await start('speed')
  await start('lake-writer')
  const nodes = [(await start('serve')).where, (await start('serve', { 'log-url': '' })).where]
  const agents = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const agent of agents) await send(one.where, agent, 1, 30)
  // Each comes back through the other collector, with numbers that this one does not know.
  for (const agent of agents) await send(two.where, agent, 16, 45)
  for (const node of nodes) {
    const answer = await whole(node, 270)
    expect(answer.answered_by).toEqual({ batch: 0, realtime: 270 })
    expect(answer.cpu!.total).toBe((agents.length * (45 * 46)) / 2)
  }

  const runs = await (await batch()).run({ full: false })
  expect(runs.map(({ result }) => result)).toEqual(['published', 'published'])
  await send(one.where, 'g', 1, 5)
  for (const node of nodes) {
    const answer = await whole(node, 275)
    expect(answer.answered_by).toEqual({ batch: 270, realtime: 5 })
    // It has no other layer, and says what it sees of them and who tells the rest.
    const status = (await (await fetch(`${node}/v1/status`)).json()) as ServedStatus
    for (const layer of ['collector', 'log', 'lake', 'speed', 'batch'] as const)
      expect(status[layer]).toMatchObject({ state: 'elsewhere', reason: expect.any(String) })
    expect(Object.keys(status.log.known_to)).toEqual(['0', '1', '2'])
    expect(status.lake.versions.host).toBeGreaterThan(0)
    expect(Date.parse(status.speed.late_after)).toBeGreaterThan(Date.parse(status.time))
    expect(status.batch.last_views).toHaveLength(2)
  }
}, 60_000)

test('a process that removes what others may still read says so at its start', async () => {
  const { start, lines } = await deployment()
  const said = () => lines.filter((line) => line.startsWith('lake.retention is '))
  for (const name of ['collector', 'lake-writer'] as const) await start(name, { 'lake-retention': '4h' })
  await start('collector', { 'lake-retention': '3h' })
  expect(said()).toEqual([])
  for (const name of ['lake-writer', 'speed', 'batch'] as const) await start(name, { 'lake-retention': '3h' })
  expect(said()).toEqual(Array(3).fill(expect.stringMatching(/is 3h, shorter than 4h: .* may lose .* say /)))
}, 60_000)

test('two batch processes that run at the same time publish once, and the figures stay', async () => {
  const { start, batch } = await deployment()
  const collector = await start('collector')
  await start('speed')
  const node = (await start('serve')).where
  await send(collector.where, 'a', 1, 50)
  const both = [await batch(), await batch()]
  const records = await Promise.all(both.map((one) => one.run({ full: true })))
  const results = records.flat().map(({ view, result }) => `${view} ${result}`)
  for (const view of ['service_minute', 'host_minute']) {
    const own = results.filter((result) => result.startsWith(view))
    expect(own.some((result) => result.endsWith('published'))).toBe(true)
    expect(own.every((result) => !result.endsWith('failed'))).toBe(true)
  }
  expect((await whole(node, 50)).cpu!.total).toBe((50 * 51) / 2)
}, 60_000)

/** What a collector that takes one service alone answers to a line of another and one of `web`. */
async function strangersAnswer(where: string): Promise<string> {
  const [host, port] = where.split(':')
  const socket = connect(Number(port), host)
  const line = (service: string) => JSON.stringify({ service, cpu: 1, ram: 1, disk: 1 })
  socket.end(`${line('stranger')}\n${line('web')}\n`)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

test('a collector that starts anew keeps the places of the services that the log alone holds', async () => {
  const { start } = await deployment()
  const first = await start('collector')
  await send(first.where, 'a', 1, 10)
  await first.closing.close()
  const { where } = await start('collector', { 'collector-services-max': '1' })
  expect(await strangersAnswer(where)).toContain('"line":1,"code":"E_SERVICES_MAX"')
}, 60_000)

test('a collector that starts anew keeps the places of the services that the lake holds from strangers', async () => {
  const { start, batch } = await deployment()
  const first = await start('collector')
  await start('speed')
  const node = (await start('serve')).where
  await send(first.where, 'a', 1, 10)
  await whole(node, 10)
  await first.closing.close()
  for (const isPublished of [false, true]) {
    if (isPublished) await (await batch()).run({ full: false })
    const { where, closing } = await start('collector', { 'collector-services-max': '1' })
    const text = await strangersAnswer(where)
    expect(text.match(/"E_SERVICES_MAX"/g)).toHaveLength(1)
    expect(text).toContain('"line":1,"code":"E_SERVICES_MAX"')
    expect(text).toContain('{"ack":2}')
    await closing.close()
  }
}, 60_000)
