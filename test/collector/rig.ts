import {
  type Collector,
  type CollectorConfig,
  type CollectorDeps,
  startCollector,
} from '../../collector/collector.ts'
import { host } from '../../schemas/datasets/host.ts'
import type { Access } from '../../schemas/ports/access.ts'
import type { Socket } from '../../schemas/ports/net.ts'
import { scores } from '../schemas/nasty-messages.ts'
import { SimClock } from '../sim/clock.ts'
import { SimDisk } from '../sim/disk.ts'
import { drain } from '../sim/incarnation.ts'
import { SimLog } from '../sim/log.ts'
import { SimNet } from '../sim/net.ts'

export const NOW_MS = Date.UTC(2026, 10, 22, 10)

/** A collector over simulated network, disk, clock and log. */
export class Rig {
  readonly clock = new SimClock(NOW_MS)
  readonly log: SimLog
  readonly net: SimNet
  readonly disk: SimDisk
  readonly lines: string[] = []
  access: Access | null = null
  knownNames: CollectorDeps['knownNames']
  collector!: Collector

  constructor(seed = 1, log = new SimLog()) {
    this.log = log
    this.net = new SimNet(seed)
    this.disk = new SimDisk(seed)
  }

  static async start(
    config: Partial<CollectorConfig> = {},
    seed = 1,
    access: Access | null = null,
  ): Promise<Rig> {
    const rig = new Rig(seed)
    rig.access = access
    await rig.restart(config)
    return rig
  }

  /** A collector that remembers only what the log and the disk hold. */
  async restart(config: Partial<CollectorConfig> = {}): Promise<void> {
    this.collector = await startCollector(
      { host: '127.0.0.1', port: 0, ...config },
      {
        log: this.log,
        senders: this.log,
        datasets: [host, scores],
        net: this.net,
        clock: this.clock,
        disk: this.disk,
        rejectsDir: '/data/rejects',
        ...(this.access && { access: this.access }),
        ...(this.knownNames && { knownNames: this.knownNames }),
        logLine: (line) => void this.lines.push(line),
      },
    )
  }

  async connect(): Promise<Client> {
    return new Client(await this.net.connect('127.0.0.1', this.collector.port))
  }

  /** A client that has said hello and was welcomed. */
  async hello(agent: string): Promise<Client> {
    const client = await this.connect()
    client.send({ hello: 1, agent })
    await this.run()
    return client
  }

  /** Lets everything run; the open block is appended. */
  async run(ms = 250): Promise<void> {
    await this.clock.advance(ms)
    for (let i = 0; i < 10; i++) await drain()
  }

  /** The refused lines that were kept. */
  rejects(): Record<string, unknown>[] {
    return this.disk
      .paths()
      .filter((path) => path.startsWith('/data/rejects/'))
      .flatMap((path) => Buffer.from(this.disk.bytesOf(path)).toString().trim().split('\n'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
}

/** One end of a connection, and all it was told. */
export class Client {
  readonly socket: Socket
  readonly answers: Record<string, unknown>[] = []
  ended = false
  closed: string | null = null
  #text = ''

  constructor(socket: Socket, options: { closesToo?: boolean } = {}) {
    this.socket = socket
    socket.handle({
      data: (bytes) => this.#receive(Buffer.from(bytes).toString()),
      end: () => {
        this.ended = true
        if (options.closesToo !== false) socket.end()
      },
      drain: () => {},
      close: (reason) => {
        this.closed = reason
      },
    })
  }

  #receive(text: string): void {
    const lines = (this.#text + text).split('\n')
    this.#text = lines.pop()!
    for (const line of lines) this.answers.push(JSON.parse(line) as Record<string, unknown>)
  }

  /** Sends each value as one line. */
  send(...values: object[]): void {
    for (const value of values) this.socket.write(`${JSON.stringify(value)}\n`)
  }

  get acks(): number[] {
    return this.answers.flatMap(({ ack }) => (typeof ack === 'number' ? [ack] : []))
  }

  get errors(): Record<string, unknown>[] {
    return this.answers.flatMap(({ error }) =>
      error === undefined ? [] : [error as Record<string, unknown>],
    )
  }

  get codes(): unknown[] {
    return this.errors.map(({ code }) => code)
  }
}

/** A good message; numbered with `seq`. */
export function message(cpu: number, seq?: number): { [field: string]: unknown } {
  return { service: 'web', cpu, ram: 2, disk: 3, ...(seq === undefined ? {} : { seq }) }
}

/** The `cpu` of every message in the log: what tells them apart here. */
export function cpus(log: SimLog): number[] {
  return log.messages().map(({ gauges }) => gauges[0]!)
}
