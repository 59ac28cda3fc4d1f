import type { Block } from '../../schemas/block.ts'
import { host } from '../../schemas/datasets/host.ts'
import { type Message, toColumns } from '../../schemas/message.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { hostName, serviceName } from './history.ts'

/**
 * The canonical workload: each host measures one service every 10 s, at a time within them that is its own; gauges are whole
 * percentages that walk by −2 to 2, each as likely, and stop at 0 and 100. Agents number their messages, which arrive in order of time.
 */
export interface Walk {
  readonly hosts: number
  readonly services: number
  readonly hours: number
  /** Midnight in UTC. */
  readonly startMs: number
}

const EVERY_MS = 10_000
const BLOCK_MESSAGES = 50
const TICKS_AN_HOUR = HOUR_MS / EVERY_MS

export const walkMessages = ({ hosts, hours }: Walk) => hosts * hours * TICKS_AN_HOUR

/** Hour by hour the blocks as the collector makes them. */
export function* walkBlocks(walk: Walk): Generator<Block[]> {
  let offset = 0
  let waiting: Message[] = []
  for (const messages of hoursOf(walk)) {
    const blocks: Block[] = []
    for (const message of messages) {
      waiting.push(message)
      if (waiting.length < BLOCK_MESSAGES) continue
      const columns = toColumns(host, waiting)
      blocks.push({ partition: 0, offset: offset++, logTimeMs: message.timeMs, messages: columns })
      waiting = []
    }
    yield blocks
  }
}

/** The same messages in line protocol, so many lines in each text. */
export function* walkLines(walk: Walk, linesEach: number): Generator<string> {
  let lines: string[] = []
  for (const messages of hoursOf(walk))
    for (const { names, timeMs, gauges } of messages) {
      const [cpu, ram, disk] = gauges
      lines.push(
        `gauges,service=${names[0]},host=${names[1]} cpu=${cpu},ram=${ram},disk=${disk} ${timeMs}000000`,
      )
      if (lines.length < linesEach) continue
      yield `${lines.join('\n')}\n`
      lines = []
    }
  if (lines.length > 0) yield `${lines.join('\n')}\n`
}

function* hoursOf({ hosts, services, hours, startMs }: Walk): Generator<Message[]> {
  const next = randomFrom(1)
  const fleet = Array.from({ length: hosts }, (_, n) => ({
    names: [serviceName(n % services), hostName(n)],
    agent: Array.from({ length: 32 }, () => Math.floor(next() * 16).toString(16)).join(''),
    atMs: Math.floor(next() * EVERY_MS),
    gauges: host.gauges.map(() => Math.floor(next() * 101)),
  })).sort((a, b) => a.atMs - b.atMs)
  for (let hour = 0; hour < hours; hour++) {
    const messages: Message[] = []
    for (let tick = hour * TICKS_AN_HOUR; tick < (hour + 1) * TICKS_AN_HOUR; tick++)
      for (const one of fleet) {
        one.gauges = one.gauges.map((value) => Math.min(100, Math.max(0, value + Math.floor(next() * 5) - 2)))
        const { names, agent, gauges, atMs } = one
        messages.push({ names, agent, seq: tick + 1, timeMs: startMs + tick * EVERY_MS + atMs, gauges })
      }
    yield messages
  }
}

/** Numbers from 0 to 1, always the same (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
