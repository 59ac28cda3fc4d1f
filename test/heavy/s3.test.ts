import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeClock } from '../../cli/host/clock.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import { nodeHttp } from '../../cli/host/http.ts'
import { nodeRandom } from '../../cli/host/random.ts'
import { openStore } from '../../lake/store/open.ts'
import { PART_BYTES } from '../../lake/store/s3/store.ts'
import type { Http } from '../../schemas/ports/http.ts'
import { type BucketServer, bucketServer, hasBucketServer, KEY, SECRET } from './bucket-server.ts'
import { LoadSender, loadMessage } from './load.ts'
import { needs } from './needs.ts'
import { python } from './outside.ts'
import { type Running, runCommand, startUp } from './up.ts'

/** The lake in a bucket of a real S3 server, which is killed too. */
const SENDERS = 2
const MESSAGES_EACH = 10_000
const LAKE = 's3://tide/lake'

const runs = needs('versitygw', hasBucketServer)
const hasDeltaRs = needs('deltalake', python !== null)

let dir: string
let server: BucketServer
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-s3-'))
  if (runs) server = await bucketServer(join(dir, 's3'))
})
afterAll(async () => {
  if (runs) await server.kill()
  await rm(dir, { recursive: true, force: true })
})

const bytes = (text: string) => new TextEncoder().encode(text)

function open(prefix: string, http: Http = nodeHttp()) {
  const config = {
    endpoint: server.url,
    region: null,
    pathStyle: null,
    accessKey: KEY,
    secretKey: SECRET,
    profile: null,
    copiesDir: join(dir, 'copies'),
    copiesBytesMax: 1 << 30,
  }
  const s3 = { config, http, clock: nodeClock(), env: {} }
  return openStore(`s3://tide/${prefix}`, { disk: nodeDisk(), random: nodeRandom(), s3 })
}

/** Answers of a third of all requests are lost, the effects are not. */
function lossy(http: Http): Http {
  let sent = 0
  return {
    async send(request, signal) {
      const answer = await http.send(request, signal)
      if (sent++ % 3 === 0) throw new Error('the answer was swallowed')
      return answer
    },
  }
}

test.runIf(runs)(
  'twenty writers race for each key, answers lost or not: one wins, and its bytes stay',
  async () => {
    await open('race').probe()
    for (const http of [nodeHttp(), lossy(nodeHttp())]) {
      const stores = Array.from({ length: 20 }, () => open('race', http).store)
      for (let round = 0; round < 20; round++) {
        const key = `${nodeRandom().hex(4)}/${round}`
        const texts = stores.map((_, i) => `${i} ${nodeRandom().hex(500)}`)
        const won = await Promise.all(stores.map((store, i) => store.putIfAbsent(key, bytes(texts[i]!))))
        expect(won.filter(Boolean)).toHaveLength(1)
        expect(new TextDecoder().decode((await stores[0]!.get(key))!)).toBe(texts[won.indexOf(true)])
      }
    }
  },
)

test.runIf(runs)(
  'large, empty and strangely named objects come back whole, and lists go on after a page',
  async () => {
    const { store } = open('objects')
    const large = new Uint8Array(2 * PART_BYTES + 7).map((_, i) => i % 251)
    expect(await store.putIfAbsent('large', large)).toBe(true)
    expect(await store.putIfAbsent('large', large.slice().fill(1))).toBe(false)
    expect(Buffer.compare((await store.get('large'))!, large)).toBe(0)
    await store.put('empty', new Uint8Array())
    expect((await store.get('empty'))?.length).toBe(0)
    expect(await store.get('none')).toBe(null)
    const names = [
      't/d=1 ü+%25/a&b',
      ...Array.from({ length: 1_100 }, (_, i) => `t/x${String(i).padStart(5, '0')}`),
    ]
    for (let i = 0; i < names.length; i += 50)
      await Promise.all(names.slice(i, i + 50).map((name) => store.put(name, bytes(name))))
    expect((await store.list('t/')).map(({ key }) => key)).toEqual(names)
    expect((await store.list('t/', 't/x01097')).map(({ key }) => key)).toEqual(['t/x01098', 't/x01099'])
    await store.delete(names[0]!)
    expect(await store.get(names[0]!)).toBe(null)
  },
)

test.runIf(runs)(
  'messages are counted once through kills of the process and of the bucket, by every way of asking',
  async () => {
    const data = join(dir, 'data')
    const lake = ['--lake-url', LAKE, '--lake-s3-endpoint', server.url]
    const key = ['--lake-s3-access-key', KEY, '--lake-s3-secret-key', SECRET]
    const timing = ['--speed-tick', '1s', '--batch-schedule', '*/3 * * * * *', '--agent-enabled', 'false']
    const start = () => startUp(data, [...lake, ...key, ...timing])
    const startMs = Date.now() - 2 * 3_600_000
    const senders = Array.from({ length: SENDERS }, (_, i) => new LoadSender(i + 1, startMs, MESSAGES_EACH))
    let up = await start()
    const connect = () => {
      for (const sender of senders) sender.connect(up.collector.port)
    }
    const timer = setInterval(() => {
      for (const sender of senders) sender.send(20)
    }, 20)
    try {
      connect()
      for (const share of [0.2, 0.4]) {
        await until(() => senders.every(({ acked }) => acked >= share * MESSAGES_EACH))
        await up.end('SIGKILL')
        up = await start()
        connect()
      }
      await until(() => senders.every(({ acked }) => acked >= 0.6 * MESSAGES_EACH))
      await server.kill()
      // Acknowledged all the same: the journal is on this machine's disk.
      await until(() => senders.every(({ acked }) => acked >= 0.8 * MESSAGES_EACH))
      await until(async () => !(await fetch(`${up.serving}/readyz`)).ok)
      await server.start()
      await until(() => senders.every(({ done }) => done))
      await until(async () => (await fetch(`${up.serving}/readyz`)).ok)
      expect(senders.flatMap(({ errors }) => errors)).toEqual([])
      await checkAnswers(up, startMs)
      const second = await runCommand(['up', '--data', join(dir, 'second'), ...lake, ...key])
      expect([second.code, second.err]).toEqual([1, expect.stringContaining('E_LAKE_OWNED')])
      const status = (await (await fetch(`${up.serving}/v1/status`)).json()) as { lake: { requests: object } }
      console.log(`s3: requests of the last process ${JSON.stringify(status.lake.requests)}`)
      expect(await up.end('SIGTERM')).toBe(0)
      const full = await runCommand(['batch', '--once', '--full', '--data', data, ...lake, ...key])
      expect([full.code, full.out]).toEqual([0, expect.stringContaining('service_minute')])
      const listed = await runCommand(['runs', '--data', join(dir, 'third'), ...lake, ...key])
      expect([listed.code, listed.out]).toEqual([0, expect.stringContaining('published')])
      if (hasDeltaRs)
        expect(await readByDeltaRs()).toEqual({ messages: 20_000, distinct: 20_000, counted: 20_000 })
      up = await start()
      await checkAnswers(up, startMs)
      expect(await up.end('SIGTERM')).toBe(0)
    } catch (error) {
      console.log(up.output().split('\n').slice(-25).join('\n'))
      throw error
    } finally {
      clearInterval(timer)
      for (const sender of senders) sender.close()
      await up.end('SIGKILL')
    }
  },
  280_000,
)

interface Stats {
  readonly service: string
  readonly messages: number
  readonly complete: boolean
  readonly cpu: { readonly total: number; readonly max: number }
}

/** Counts, totals and maxima of every service, against the messages themselves. */
async function checkAnswers(up: Running, startMs: number): Promise<void> {
  const expected = new Map<string, { messages: number; total: number; max: number }>()
  for (let sender = 1; sender <= SENDERS; sender++) {
    for (let seq = 1; seq <= MESSAGES_EACH; seq++) {
      const { service, gauges } = loadMessage(startMs, sender, seq)
      const of = expected.get(service) ?? { messages: 0, total: 0, max: 0 }
      const [cpu] = gauges as [number]
      expected.set(service, { messages: of.messages + 1, total: of.total + cpu, max: Math.max(of.max, cpu) })
    }
  }
  const range = `from=${startMs - 86_400_000}&to=${startMs + 86_400_000}`
  const ask = async () =>
    ((await (await fetch(`${up.serving}/v1/analytics?${range}`)).json()) as { services: Stats[] }).services
  const sum = (stats: readonly Stats[]) => stats.reduce((all, { messages }) => all + messages, 0)
  await until(async () => {
    const stats = await ask()
    return sum(stats) >= SENDERS * MESSAGES_EACH && stats.every(({ complete }) => complete)
  })
  const got = (await ask()).map(({ service, messages, cpu: { total, max } }) => [
    service,
    { messages, total, max },
  ])
  expect(Object.fromEntries(got)).toEqual(Object.fromEntries(expected))
}

/** What delta-rs reads from the bucket itself. */
async function readByDeltaRs(): Promise<unknown> {
  const script = `
import json, os, sys
from deltalake import DeltaTable
options = {"AWS_ENDPOINT_URL": sys.argv[1], "AWS_ACCESS_KEY_ID": sys.argv[2], "AWS_SECRET_ACCESS_KEY": sys.argv[3], "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true"}
read = lambda name, columns: DeltaTable(sys.argv[4] + "/" + name, storage_options=options).to_pyarrow_table(columns=columns)
messages = read("messages", ["agent", "seq"]).to_pylist()
minutes = read("service_minute", ["msg_num"]).to_pylist()
print(json.dumps({"messages": len(messages), "distinct": len({(m["agent"], m["seq"]) for m in messages}), "counted": sum(m["msg_num"] for m in minutes)}), flush=True)
os._exit(0)
`
  return JSON.parse(
    execFileSync(python!, ['-c', script, server.url, KEY, SECRET, LAKE], { encoding: 'utf8' }),
  )
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 90_000
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error('it did not happen within 90 s')
    await wait(100)
  }
}
