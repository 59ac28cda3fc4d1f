import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { startUp } from '../../test/heavy/up.ts'
import { ackMs } from '../../test/heavy/watch.ts'
import { budgetText, times } from '../budget.ts'
import { machine, mib, ms, type Percentiles, percentiles } from '../measure.ts'
import { forkWith, messageOf, usageOf } from '../process.ts'
import { UNSCHEDULED } from '../runs.ts'
import type { FollowersOptions, Following, Seen } from './followers.ts'

/**
 * Live: a message is sent each second, and all followers of `/v1/live` are to have it within a second. The floor is a server that
 * writes an event of the same length to as many.
 */
export interface Fanned {
  /** From the sending of a message until a follower had it, of all followers and messages. */
  readonly visibleMs: Percentiles
  /** Of the server meanwhile, beside what it had before there were followers. */
  readonly cores: number
  readonly kibAFollower: number
}

export interface Live {
  readonly followers: number
  readonly messages: number
  readonly services: number
  readonly up: Fanned
  readonly floor: Fanned
}

const VISIBLE_MS = { atMost: 1_000 }
/** Between two messages, besides what they take. */
const REST_MS = 1_000

export async function benchLive(followers: number, messages: number, services: number): Promise<Live> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-live-'))
  const up = await startUp(join(dir, 'data'), ['--agent-enabled', 'false', ...UNSCHEDULED])
  try {
    // The first cells of all of them are what a new follower is told.
    const all = Array.from({ length: services }, (_, n) => ackMs(up.collector.port, `service-${n}`))
    await Promise.all(all)
    const measured = await fanOut(
      { port: Number(new URL(up.serving).port), path: '/v1/live', followers, messages },
      up.child.pid!,
      async (service) => void (await ackMs(up.collector.port, service)),
    )
    return { followers, messages, services, up: measured, floor: await benchFloor(followers, messages) }
  } finally {
    await up.end('SIGTERM')
    await rm(dir, { recursive: true })
  }
}

async function benchFloor(followers: number, messages: number): Promise<Fanned> {
  const server = forkWith(new URL('floor.ts', import.meta.url), {})
  try {
    const { port } = await messageOf<{ port: number }>(server)
    const cell = 'x'.repeat(600)
    return await fanOut({ port, path: '/', followers, messages }, server.pid!, async (service) => {
      server.send(`event: cells\ndata: {"service":"${service}","cell":"${cell}"}\n\n`)
    })
  } finally {
    server.disconnect()
  }
}

async function fanOut(
  { messages, ...about }: Omit<FollowersOptions, 'probe'> & { readonly messages: number },
  pid: number,
  send: (service: string) => Promise<void>,
): Promise<Fanned> {
  const child = forkWith(new URL('followers.ts', import.meta.url), {})
  try {
    await messageOf(child)
    const before = await usageOf(pid)
    const following = messageOf<Following>(child)
    child.send({ ...about, probe: 'probe-' } satisfies FollowersOptions)
    await following
    const begun = await usageOf(pid)
    const startedMs = performance.now()
    const visible: number[] = []
    for (let n = 0; n < messages; n++) {
      const sentMs = Date.now()
      const seen = seenBy(child, `probe-${n}`)
      await send(`probe-${n}`)
      for (const seenMs of (await seen).seenMs) visible.push(seenMs - sentMs)
      await wait(REST_MS)
    }
    const after = await usageOf(pid)
    return {
      visibleMs: percentiles(visible),
      cores: (after.cpuSeconds - begun.cpuSeconds) / ((performance.now() - startedMs) / 1_000),
      kibAFollower: ((after.residentMib - before.residentMib) * 1_024) / about.followers,
    }
  } finally {
    child.disconnect()
  }
}

const seenBy = (child: ChildProcess, probe: string) =>
  messageOf<Seen>(child, (message): message is Seen => (message as Seen).probe === probe)

export function liveText({ followers, messages, services, up, floor }: Live): string {
  const line = ({ visibleMs: { p50, p99, max }, cores, kibAFollower }: Fanned) =>
    `p50 ${ms(p50)}, p99 ${ms(p99)}, slowest ${budgetText(max, VISIBLE_MS, ms)}; ${cores.toFixed(2)} cores; ${mib((kibAFollower * followers) / 1_024)} more, ${kibAFollower.toFixed(0)} KiB a follower`
  return `live: ${messages} messages to ${followers} followers of ${services} services, on ${machine()}
  tidemark up   ${line(up)}
  the floor     ${line(floor)}
  up / floor    cores ${times(up.cores / floor.cores)}`
}
