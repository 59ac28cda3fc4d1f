import { RECORD_HEAD_BYTES } from '../../log/journal/record.ts'
import { scanSegment } from '../../log/journal/scan.ts'
import { parseSegmentName } from '../../log/journal/segment-name.ts'
import type { RunRecord } from '../../schemas/ports/layers.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import type { Stats } from '../../serving/answers.ts'
import { drain } from '../sim/incarnation.ts'
import { differences } from '../simulator/oracle.ts'
import { Sender } from '../simulator/sender.ts'
import { World } from '../simulator/world.ts'
import { figuresOf } from './figures.ts'

/**
 * Runs a scenario: one step a line, over the whole of an embedded Tidemark on a virtual clock. After every step every
 * answer is compared with the oracle besides. The words:
 *
 *     start                                      the process begins; it is killed by `crash process` or `crash power`
 *     AGENT sends SERVICE HOST TIME CPU RAM DISK one message; TIME is hh:mm:ss of the scenario's day
 *     AGENT resends from SEQ                     reconnects and sends again from that number
 *     pass DURATION                              the clock goes on: 30s, 90m
 *     tick / seal / run / run full               what the layers do by themselves, now; a run's result can be expected
 *     run while AGENT sends …                    the message is durable between the run's files and its commit
 *     speed stops                                the speed layer closes and the rest goes on
 *     define cpu × FACTOR                        the next start has a definition with cpu times that factor
 *     damage block OFFSET                        a byte of its payload flips in the journal
 *     expect SERVICE [hh:mm to hh:mm] KEY VALUE… messages, batch, realtime, total-cpu, max-cpu, at-cpu, on-cpu, complete,
 *                                                gap A..B
 *     expect run RESULT [hours N] [files N]      of the last run
 *     expect version N                           of the view
 */
export async function runScenario(text: string): Promise<number> {
  const scenario = new Scenario()
  let steps = 0
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.replace(/#.*/, '').trim()
    if (line === '') continue
    try {
      await scenario.step(line.split(/\s+/))
      scenario.check()
    } catch (error) {
      throw new Error(`line ${i + 1}: ${line}: ${(error as Error).message}`, { cause: error })
    }
    steps += 1
  }
  return steps
}

const DAY_MS = Date.UTC(2026, 10, 22)
const START_MS = DAY_MS + 10 * 3_600_000
const UNITS_MS: { readonly [unit: string]: number } = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

const VIEW = serviceMinute.name

class Scenario {
  readonly #world = new World({ seed: 1, startMs: START_MS })
  readonly #senders = new Map<string, Sender>()
  #lastRun: RunRecord | null = null

  async step(words: string[]): Promise<void> {
    const [first, second, third] = words as [string, string, string]
    if (first === 'start') await this.#start()
    else if (first === 'crash') await this.#world.crash(second as 'process' | 'power')
    else if (first === 'pass') await this.#pass(second)
    else if (first === 'tick') await this.#parts.speed.tick()
    else if (first === 'seal') await this.#parts.writer.seal()
    else if (first === 'run') await this.#run(words)
    else if (first === 'speed') await this.#parts.speed.close()
    else if (first === 'define') this.#define(Number(words[3]))
    else if (first === 'damage') this.#damage(Number(third))
    else if (first === 'expect') this.#expect(words.slice(1))
    else if (second === 'sends') await this.#send(first, words.slice(2))
    else if (second === 'resends') await this.#resend(first, Number(words[3]))
    else throw new Error('there is no such step')
    await drain()
  }

  get #parts() {
    return this.#world.parts!
  }

  async #start() {
    await this.#world.start()
    for (const sender of this.#senders.values()) await sender.connect(this.#world.net)
    await drain()
  }

  async #pass(duration: string) {
    const [, count, unit] = /^(\d+)(ms|s|m|h)$/.exec(duration)!
    await this.#world.clock.advance(Number(count) * UNITS_MS[unit!]!)
  }

  async #run(words: string[]) {
    if (words[1] === 'while') {
      const commits = `${serviceMinute.name}/_delta_log/`
      this.#world.store.faults = async ({ what, key, when }) => {
        if (what !== 'putIfAbsent' || when !== 'before' || !key.startsWith(commits)) return
        this.#world.store.faults = null
        await this.#send(words[2]!, words.slice(4))
        this.check()
      }
    }
    this.#lastRun = (await this.#parts.batch.run({ full: words[1] === 'full' }))[0]!
  }

  #define(factor: number) {
    const gauges = serviceMinute.gauges.map((one) => (one.gauge === 'cpu' ? { ...one, scale: factor } : one))
    this.#world.view = { ...serviceMinute, gauges }
  }

  /** Flips a bit in the first byte of a block's payload. */
  #damage(offset: number) {
    for (const path of this.#world.disk.paths().filter((name) => name.endsWith('.journal'))) {
      const bytes = Buffer.from(this.#world.disk.bytesOf(path))
      const id = parseSegmentName(path.slice(path.lastIndexOf('/') + 1))!
      const record = scanSegment(bytes, id).records.find((one) => one.offset === offset)
      if (record === undefined) continue
      bytes[record.position + RECORD_HEAD_BYTES]! ^= 1
      this.#world.disk.put(path, bytes)
      this.#world.oracle.drop(0, offset)
      return
    }
    throw new Error('there is no such block')
  }

  async #send(agent: string, [service, host, time, ...gauges]: string[]) {
    const sender = this.#senders.get(agent) ?? new Sender(agent)
    this.#senders.set(agent, sender)
    if (!sender.connected) await sender.connect(this.#world.net)
    await drain()
    sender.make({ names: [service!, host!], timeMs: timeOf(time!), gauges: gauges.map(Number) })
    sender.sendAfter(sender.sent.length - 1)
    await drain()
    // The block is not full: it goes when it has lingered.
    await this.#world.clock.advance(300)
  }

  async #resend(agent: string, from: number) {
    const sender = this.#senders.get(agent)!
    await sender.connect(this.#world.net)
    await drain()
    sender.sendAfter(from - 1)
    await this.#world.clock.advance(300)
  }

  #expect(words: string[]) {
    if (words[0] === 'run') return this.#expectRun(words.slice(1))
    if (words[0] === 'version')
      return same('version', String(this.#parts.answers.basis(VIEW).viewVersion), words[1]!)
    const [service, ...rest] = words as [string, ...string[]]
    const timed = rest[1] === 'to'
    const range = timed
      ? { fromMs: timeOf(rest[0]!), toMs: timeOf(rest[2]!) }
      : { fromMs: DAY_MS - 366 * 86_400_000, toMs: DAY_MS + 366 * 86_400_000 }
    const stats = this.#parts.answers.stats(VIEW, service, range)
    if (stats === null) throw new Error(`${service} is unknown`)
    const facts = timed ? rest.slice(3) : rest
    for (let i = 0; i < facts.length; i += 2) same(facts[i]!, factOf(stats, facts[i]!), facts[i + 1]!)
  }

  #expectRun([result, ...facts]: string[]) {
    const run = this.#lastRun!
    same('result', run.result + (run.error ?? ''), result!)
    for (let i = 0; i < facts.length; i += 2) {
      same(facts[i]!, String(run[facts[i] as 'hours' | 'files']), facts[i + 1]!)
    }
  }

  /** The law, whatever else is expected. */
  check(): void {
    if (!this.#world.up) return
    const { answers } = this.#parts
    const { position, definition } = answers.basis(VIEW)
    const { definitions } = this.#world
    const expected = this.#world.oracle.cells(definitions.get(definition) ?? serviceMinute, position)
    const range = { fromMs: 0, toMs: DAY_MS + 366 * 86_400_000 }
    const wrong = [...expected.keys()].flatMap(({ key }) => {
      const stats = answers.stats(VIEW, key, range)
      return stats === null ? [`${key} is unknown`] : differences(expected, range, stats)
    })
    if (wrong.length > 0) throw new Error(wrong.join('; '))
  }
}

function timeOf(text: string): number {
  const [hours, minutes, seconds = '0'] = text.split(':')
  return DAY_MS + Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000
}

function factOf(stats: Stats, fact: string): string {
  const [what, gauge] = fact.split('-') as [string, string | undefined]
  const of = figuresOf(stats, ['cpu', 'ram', 'disk'].indexOf(gauge ?? 'cpu'))
  switch (what) {
    case 'messages':
      return String(stats.messages)
    case 'batch':
    case 'realtime':
      return String(stats.answeredBy[what])
    case 'total':
    case 'max':
      return String(of[what])
    case 'at':
      return of.maxTimeMs === null ? 'null' : new Date(of.maxTimeMs).toISOString().slice(11, 19)
    case 'on':
      return String(of.source)
    case 'complete':
      return String(stats.complete)
    case 'gap':
      return stats.gaps.map(({ from, to }) => `${from}..${to}`).join()
  }
  throw new Error(`there is no fact ${fact}`)
}

function same(what: string, got: string, want: string): void {
  if (got !== want) throw new Error(`${what} is ${got}`)
}
