import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readSpool } from '../../agent/spool/format.ts'
import { environment } from './up.ts'

const ENTRY = fileURLToPath(new URL('../../cli/entry.js', import.meta.url))

/** A real agent with a spool, which a test kills and starts again. */
export class SpoolAgent {
  readonly service: string
  readonly spool: string
  readonly #flags: readonly string[]
  #child: ChildProcess | null = null
  /** Everything it printed so far, in all its lives. */
  printed = ''

  constructor(port: number, service: string, spool: string, interval = '20ms') {
    this.service = service
    this.spool = spool
    const collector = `127.0.0.1:${port}`
    this.#flags = ['--collector', collector, '--service', service, '--interval', interval, '--spool', spool]
  }

  get pid(): number {
    return this.#child!.pid!
  }

  get living(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  start(): void {
    const child = spawn(process.execPath, [ENTRY, 'agent', ...this.#flags], { env: environment() })
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes) => {
        this.printed += bytes
      })
    this.#child = child
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (!this.living) return
    this.#child!.kill(signal)
    await once(this.#child!, 'exit')
  }

  /** Number of its newest sample on disk. */
  async newest(): Promise<number> {
    const names = (await readdir(this.spool).catch(() => [])).filter((name) => name.endsWith('.spool'))
    const files = await Promise.all(
      names.map(async (name) => {
        // It may be removed meanwhile, being settled.
        return readSpool(await readFile(join(this.spool, name)).catch(() => new Uint8Array()))
      }),
    )
    return Math.max(0, ...files.map(({ head, records }) => records.at(-1)?.number ?? (head?.first ?? 1) - 1))
  }
}
