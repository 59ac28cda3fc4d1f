import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Agent, startAgent } from '../../agent/agent.ts'
import { nodeClock } from '../../cli/host/clock.ts'
import { nodeNet } from '../../cli/host/net.ts'
import { nodeRandom } from '../../cli/host/random.ts'
import { VERSION } from '../../cli/version.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../schemas/time.ts'
import { type Running, runCommand } from '../../test/heavy/up.ts'

/**
 * A shop, as pictures show it: ten services of three hosts with days and nights, weekends, a job at night, memory that grows until a
 * restart. One fell silent a while ago, one is busy by its own history, one was away for hours yesterday.
 */
interface Service {
  readonly name: string
  /** At night, and how much more at the busiest time of the day. */
  readonly cpu: readonly [night: number, more: number]
  readonly ram: number
  readonly disk: number
}

const SERVICES: readonly Service[] = [
  { name: 'auth', cpu: [9, 22], ram: 54, disk: 31 },
  { name: 'cache', cpu: [14, 18], ram: 81, disk: 12 },
  { name: 'checkout', cpu: [12, 38], ram: 58, disk: 29 },
  { name: 'images', cpu: [18, 34], ram: 40, disk: 70 },
  { name: 'mail', cpu: [6, 16], ram: 33, disk: 44 },
  { name: 'payments-db', cpu: [16, 30], ram: 70, disk: 78 },
  { name: 'queue', cpu: [8, 20], ram: 62, disk: 55 },
  { name: 'reports', cpu: [5, 7], ram: 38, disk: 47 },
  { name: 'search', cpu: [13, 26], ram: 66, disk: 36 },
  { name: 'web', cpu: [15, 44], ram: 45, disk: 24 },
]
const HOSTS = 3
const DAYS = 8
/** So long ago `mail` fell silent, and `search` became busy. */
const [SILENT_MS, BUSY_MS] = [95 * MINUTE_MS, 35 * MINUTE_MS]
const AWAY = { service: 'images', fromHour: 4, hours: 3 }

const hostOf = ({ name }: Service, h: number) => `${name}-${h + 1}`
const round = (value: number) => Math.round(Math.min(100, Math.max(0, value)) * 10) / 10

/** CPU, RAM and disk of a host at a time, the same whenever it is asked. `nowMs` is when the picture is taken. */
function gaugesOf(s: number, h: number, timeMs: number, nowMs: number): number[] {
  const { name, cpu, ram, disk } = SERVICES[s]!
  const hour = (timeMs % DAY_MS) / HOUR_MS
  const day = (timeMs / DAY_MS + 4) % 7
  const bell = (at: number, width: number) => Math.exp(-(((hour - at) / width) ** 2))
  const rhythm = 0.75 * bell(11.5, 3.2) + bell(19.5, 2.6)
  const week = day < 1 || day >= 6 ? 0.6 : 1
  // What is sold today sells better than yesterday.
  const sale = name === 'checkout' && nowMs - timeMs < DAY_MS ? 1.35 : 1
  const noise = (of: number) => noiseOf(s * 1_000 + h * 100 + of, Math.floor(timeMs / 5_000))
  const spike = noise(7) > 0.9985 ? 30 : 0
  const job = name === 'reports' && hour >= 2 && hour < 2.7 ? 82 : 0
  const sinceMs = timeMs - (nowMs - BUSY_MS)
  const busy = name === 'search' && sinceMs > 0 ? 52 * Math.min(1, sinceMs / (8 * MINUTE_MS)) : 0
  const grown = name === 'web' ? 28 * ((timeMs % (2 * DAY_MS)) / (2 * DAY_MS)) : 0
  return [
    cpu[0] + cpu[1] * rhythm * week * sale + 3 * h + 5 * noise(1) + spike + job + busy,
    ram + 6 * rhythm * week + grown + 1.6 * noise(2) + h,
    disk + (0.5 * (timeMs - nowMs)) / DAY_MS + 0.4 * h + 0.1 * noise(3),
  ].map(round)
}

/** From 0 to 1, by two numbers alone. */
function noiseOf(a: number, b: number): number {
  let x = (Math.imul(a, 0x9e37_79b1) ^ Math.imul(b, 0x85eb_ca6b)) >>> 0
  x = Math.imul(x ^ (x >>> 15), 0x2c1b_3c6d)
  x = Math.imul(x ^ (x >>> 12), 0x297a_2d39)
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32
}

const isAway = ({ name }: Service, timeMs: number, nowMs: number): boolean => {
  if (name === 'mail') return timeMs > nowMs - SILENT_MS
  const awayMs = Math.floor(nowMs / DAY_MS - 1) * DAY_MS + AWAY.fromHour * HOUR_MS
  return name === AWAY.service && timeMs >= awayMs && timeMs < awayMs + AWAY.hours * HOUR_MS
}

/** The rows of the days before `nowMs`, one a minute and host. */
function* historyLines(nowMs: number): Generator<string> {
  yield 'service,host,time_stamp,cpu,ram,disk\n'
  const endMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS
  for (let minuteMs = endMs - DAYS * DAY_MS; minuteMs < endMs; minuteMs += MINUTE_MS) {
    let lines = ''
    for (const [s, service] of SERVICES.entries()) {
      if (isAway(service, minuteMs, nowMs)) continue
      for (let h = 0; h < HOSTS; h++) {
        const timeMs = minuteMs + h * 7_000
        lines += `${service.name},${hostOf(service, h)},${timeMs},${gaugesOf(s, h, timeMs, nowMs).join()}\n`
      }
    }
    yield lines
  }
}

/** Imports the history, by way of a file, into the data of a `tidemark up`. Throws what the command said when it fails. */
export async function importShop(data: string, file: string, nowMs: number): Promise<void> {
  await pipeline(Readable.from(historyLines(nowMs)), createWriteStream(file))
  const { code, err } = await runCommand(['import', file, '--data', data, '--yes'])
  if (code !== 0) throw new Error(`the import ended with ${code}: ${err}`)
}

/** An agent for each host that still sends, a message a second, until stopped. */
export function startShop({ collector }: Pick<Running, 'collector'>, nowMs: number) {
  const clock = nodeClock()
  const agents: Agent[] = []
  for (const [s, service] of SERVICES.entries())
    for (let h = 0; h < HOSTS && !isAway(service, nowMs, nowMs); h++)
      agents.push(
        startAgent(
          {
            ...collector,
            service: service.name,
            hostName: hostOf(service, h),
            intervalMs: 1_000,
            about: { scope: 'host', version: VERSION },
          },
          {
            net: nodeNet(),
            clock,
            random: nodeRandom(),
            sample: async () => gaugesOf(s, h, clock.nowMs(), nowMs),
            logLine: () => {},
          },
        ),
      )
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(agents.map((agent) => agent.close()))
    },
  }
}
