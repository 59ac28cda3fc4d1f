import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { nodeRandom } from '../../cli/host/random.ts'
import { simRandom } from '../sim/random.ts'
import { SpoolAgent } from './agent.ts'
import { messagesOf } from './lake.ts'
import { LoadSender, loadMessage } from './load.ts'
import { needs } from './needs.ts'
import { python, readWithDeltaRs } from './outside.ts'
import { runCommand, startUp } from './up.ts'
import { counted, lastingPort, until } from './watch.ts'

const KILLING_MS = 60_000
const AGENTS = 3
const SENDERS = 2
/** Messages of a sender every 20 ms. */
const PACE = 20
const UP = ['--speed-tick', '1s', '--batch-schedule', '*/5 * * * * *', '--agent-enabled', 'false']

const hasDeltaRs = needs('deltalake', python !== null)

test(`collector and agents killed in turn for ${KILLING_MS / 1_000} s: each message counts once`, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-kill-both-'))
  const data = join(dir, 'data')
  const random = simRandom(18)
  const port = await lastingPort(() => nodeRandom().float())
  const start = () => startUp(data, [...UP, '--collector-listen', `127.0.0.1:${port}`])
  const startMs = Date.now() - 3_600_000
  let up = await start()
  const agents = Array.from({ length: AGENTS }, (_, i) => {
    return new SpoolAgent(port, `spooled-${i}`, join(dir, `spool-${i}`))
  })
  const senders = Array.from({ length: SENDERS }, (_, i) => new LoadSender(i + 1, startMs, 1_000_000))
  for (const agent of agents) agent.start()
  for (const sender of senders) sender.connect(port)
  const pace = setInterval(() => {
    for (const sender of senders) sender.send(PACE)
  }, 20)
  let kills = 0
  try {
    const untilMs = Date.now() + KILLING_MS
    while (Date.now() < untilMs) {
      await wait(random.float() * 1_500)
      const agent = agents[Math.floor(kills / 2) % AGENTS]!
      if (kills % 2 === 0) {
        await up.end('SIGKILL')
        // Sometimes it stays away for a while.
        await wait(random.float() < 0.3 ? 2_000 : 0)
        up = await start()
        for (const sender of senders) sender.connect(port)
      } else {
        await agent.end('SIGKILL')
        agent.start()
      }
      kills += 1
    }
    clearInterval(pace)
    await until('all senders are settled', () =>
      senders.every(({ connected, inFlight }) => connected && inFlight === 0),
    )
    for (const agent of agents) {
      await until(
        'the agent has caught up',
        async () => (await counted(up, agent.service)) + 50 > (await agent.newest()),
      )
      await agent.end('SIGTERM')
    }
    const kept = await Promise.all(agents.map((agent) => agent.newest()))
    const sent = senders.map(({ acked }) => acked)
    const services = [...agents.map(({ service }) => service), ...[0, 1, 2, 3, 4].map((n) => `service-${n}`)]
    const total = [...kept, ...sent].reduce((sum, n) => sum + n, 0)
    const counts = () => Promise.all(services.map((service) => counted(up, service)))
    await until('all is counted', async () => (await counts()).reduce((sum, n) => sum + n, 0) >= total)
    expect((await counts()).slice(0, AGENTS)).toEqual(kept)
    expect((await counts()).reduce((sum, n) => sum + n, 0)).toBe(total)
    expect(senders.flatMap(({ errors }) => errors)).toEqual([])
    expect(await up.end('SIGTERM')).toBe(0)
    expect((await runCommand(['batch', '--once', '--data', data])).code).toBe(0)
    await checkLake(data, { startMs, kept, sent })
    console.log(`kill-both: ${kills} kills; ${total} messages, ${kept.join(' + ')} of them from spools`)
  } catch (error) {
    console.log(up.output().split('\n').slice(-20).join('\n'))
    throw error
  } finally {
    clearInterval(pace)
    for (const sender of senders) sender.close()
    for (const agent of agents) await agent.end('SIGKILL')
    await up.end('SIGKILL')
    await rm(dir, { recursive: true, force: true })
  }
}, 240_000)

/** Every number of every sender is there once, with what was sent under it. */
async function checkLake(
  data: string,
  want: { startMs: number; kept: number[]; sent: number[] },
): Promise<void> {
  const seqs = new Map<string, number[]>()
  for (const { agent, seq, names, timeMs, gauges } of await messagesOf(data)) {
    const [service, host] = names as [string, string]
    const sender = /^load-(\d+)$/.exec(agent!)?.[1]
    const name = sender === undefined ? service : agent!
    if (!seqs.has(name)) seqs.set(name, [])
    seqs.get(name)!.push(seq!)
    if (sender === undefined) continue
    const found = { service, host, timeMs, gauges }
    const sent = loadMessage(want.startMs, Number(sender), seq!)
    if (JSON.stringify(found) !== JSON.stringify(sent)) expect(found).toEqual(sent)
  }
  // In the order of the log: each number once, none left out.
  const wrong = [...seqs].filter(([, all]) => all.some((seq, i) => seq !== i + 1))
  expect(wrong.map(([name]) => name)).toEqual([])
  expect(Object.fromEntries([...seqs].map(([name, all]) => [name, all.length]))).toEqual(
    Object.fromEntries([
      ...want.kept.map((n, i) => [`spooled-${i}`, n]),
      ...want.sent.map((n, i) => [`load-${i + 1}`, n]),
    ]),
  )
  if (!hasDeltaRs) return
  const rows = await readWithDeltaRs<{ agent: string; seq: number }>(join(data, 'lake/messages'), [
    'agent',
    'seq',
  ])
  expect(new Set(rows.map(({ agent, seq }) => `${agent}/${seq}`)).size).toBe(rows.length)
  expect(rows).toHaveLength([...want.kept, ...want.sent].reduce((sum, n) => sum + n, 0))
}
