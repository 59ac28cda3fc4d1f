import { join } from 'node:path'
import { forgetRejects } from '../../collector/intake/forget-rejects.ts'
import type { ErasedMessages } from '../../lake/erase/condition.ts'
import type { ErasureState, FoundMessages } from '../../lake/erase/erasures.ts'
import { DEFAULT_DATASET } from '../../schemas/dataset.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { sleep } from '../../schemas/ports/clock.ts'
import { parseInstant } from '../../serving/range.ts'
import { ALL_SETTINGS, type Args, type Command, type Io, logLineTo } from '../command.ts'
import { Closing } from '../compose/closing.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { ask, isSomebodyThere } from '../host/question.ts'
import { nodeRandom } from '../host/random.ts'
import { userName } from '../host/user.ts'
import { builtInDefinitions } from '../settings/definitions.ts'
import { amount } from './amount.ts'
import { askRunning } from './ask.ts'

export const erase: Command = {
  name: 'erase',
  summary: 'Erase messages from everywhere, with a receipt in the audit',
  flags: [
    { name: 'host', value: 'NAME', about: 'Messages of this host' },
    { name: 'service', value: 'NAME', about: 'Messages of this service' },
    { name: 'where', value: 'COLUMN=VALUE', about: 'Messages with this value of a key or the source' },
    { name: 'dataset', value: 'NAME', about: `Dataset of the messages (${DEFAULT_DATASET})` },
    { name: 'from', value: 'TIME', about: 'Messages at or after this time (any)' },
    { name: 'to', value: 'TIME', about: 'Messages before this time (any)' },
    { name: 'dry-run', about: 'Say how many it would be; erase nothing' },
    { name: 'yes', about: 'Do not ask before' },
    { name: 'vacuum', about: 'Remove old versions at once instead of after lake.retention' },
    { name: 'pending', about: 'Go on with erasures that are not over' },
  ],
  settings: ALL_SETTINGS,
  needsData: true,
  example: 'tidemark erase --host web-1 --dry-run',
  run,
}

const ASK_EVERY_MS = 200
/** Counting reads every file that may hold some. */
const ANSWER_MS_MAX = 600_000

/** Where erasures are made: in the `up` that has the data directory, or in this process. */
interface Eraser {
  preview(dataset: string, what: ErasedMessages): Promise<FoundMessages>
  erase(dataset: string, what: ErasedMessages, vacuum: boolean): Promise<ErasureState>
  pending(): Promise<readonly ErasureState[]>
  resume(id: string, vacuum: boolean): Promise<ErasureState>
}

async function run(args: Args, io: Io): Promise<number> {
  const { flags, settings } = args
  if (settings.text('log.url') !== '')
    throw new TidemarkError('E_USAGE', 'erasing where the log is shared (log.url) is not possible yet', {
      hint: 'see docs/erasing.md',
    })
  const vacuum = flags.vacuum !== undefined
  const closing = new Closing(logLineTo(io, () => nodeClock().nowMs()))
  const stopping = new AbortController()
  void io.stopped.then(() => stopping.abort())
  try {
    if (flags.pending !== undefined) {
      const eraser = await openEraser(args, io, closing, stopping.signal)
      const states: ErasureState[] = []
      for (const { erasure } of await eraser.pending()) states.push(await eraser.resume(erasure, vacuum))
      if (states.length === 0) io.out('No erasure is pending.\n')
      return said(states, io)
    }
    const what = whatOf(flags)
    const dataset = flags.dataset ?? DEFAULT_DATASET
    const eraser = await openEraser(args, io, closing, stopping.signal)
    const found = await eraser.preview(dataset, what)
    const cells = found.frozen_cells === 0 ? '' : ` and ${cellsText(found.frozen_cells)}`
    const named = `${amount(found.rows, 'row')} of ${dataset} in ${amount(found.files, 'file')}${cells}`
    if (flags['dry-run'] !== undefined) {
      io.out(`${named} would be erased\n`)
      return 0
    }
    const answer = flags.yes === undefined ? await agreement(named, io) : 'yes'
    if (answer === 'stop')
      throw new TidemarkError('E_CANCELLED', 'the erasure was stopped; nothing was erased')
    if (answer === 'no') {
      io.out('nothing was erased\n')
      return 0
    }
    return said([await eraser.erase(dataset, what, vacuum)], io)
  } finally {
    await closing.close()
  }
}

function said(states: readonly ErasureState[], io: Io): number {
  for (const { erasure, state, rows, frozen_cells, erased, reason } of states) {
    const { removed, unnamed } = frozen_cells
    const frozen =
      removed + unnamed === 0 ? '' : `, ${cellsText(removed)} removed, ${unnamed} left without the name`
    const done = erased
      ? `${amount(rows, 'row')} erased${frozen}`
      : `${amount(rows, 'row')} taken out, but answers may still hold them`
    const rest = state === 'ended' ? 'nothing is left of them' : `it goes on: ${reason}`
    io.out(`erasure ${erasure}: ${done}; ${rest}\n`)
  }
  return states.every(({ erased, state }) => erased || state === 'ended') ? 0 : 1
}

const cellsText = (n: number) => `${amount(n, 'cell')} of expired messages`

/** Throws `E_USAGE`, `E_PARAMETER`. */
function whatOf({ host, service, where, from, to }: Args['flags']): ErasedMessages {
  const values: { [column: string]: string } = {
    ...(host !== undefined && { host }),
    ...(service !== undefined && { service }),
  }
  if (where !== undefined) {
    const at = where.indexOf('=')
    if (at < 1) throw new TidemarkError('E_USAGE', `--where ${where} must be COLUMN=VALUE`)
    values[where.slice(0, at)] = where.slice(at + 1)
  }
  if (Object.keys(values).length === 0)
    throw new TidemarkError('E_USAGE', 'say what to erase: --host, --service, or --where COLUMN=VALUE')
  return {
    where: values,
    fromMs: from === undefined ? null : parseInstant('--from', from, 'UTC'),
    toMs: to === undefined ? null : parseInstant('--to', to, 'UTC'),
  }
}

/** Where nobody sits at a terminal, nothing is erased without `--yes`. */
async function agreement(named: string, io: Io): ReturnType<typeof ask> {
  if (!isSomebodyThere(io))
    throw new TidemarkError('E_USAGE', `${named} would be erased for good; say --yes to do so`)
  return ask(`Erase ${named}, for good?`, io.stopped)
}

async function openEraser(args: Args, io: Io, closing: Closing, signal: AbortSignal): Promise<Eraser> {
  const disk = nodeDisk()
  const dataDir = args.settings.dataDir()
  const request = { method: 'GET', timeoutMs: ANSWER_MS_MAX } as const
  if ((await askRunning(disk, dataDir, '/v1/views', request)) !== null) return eraserElsewhere(dataDir)
  return eraserHere(args, io, closing, signal)
}

function eraserElsewhere(dataDir: string): Eraser {
  const clock = nodeClock()
  const ask = async (path: string, body?: object) => {
    const request = {
      method: body ? 'POST' : 'GET',
      timeoutMs: ANSWER_MS_MAX,
      ...(body && { body }),
    } as const
    const answer = await askRunning(nodeDisk(), dataDir, `/v1/erasures${path}`, request)
    if (answer === null) throw new TidemarkError('E_CONNECT', 'the process that erases has stopped')
    return answer
  }
  const bodyOf = (dataset: string, { where, fromMs, toMs }: ErasedMessages) => ({
    dataset,
    where,
    ...(fromMs !== null && { from: String(fromMs) }),
    ...(toMs !== null && { to: String(toMs) }),
  })
  const ended = async (id: string) => {
    for (;;) {
      const state = (await ask(`/${id}`)) as ErasureState
      if (state.state === 'ended' || (state.state === 'waiting' && state.reason !== null)) return state
      await sleep(clock, ASK_EVERY_MS)
    }
  }
  return {
    preview: async (dataset, what) =>
      (await ask('', { ...bodyOf(dataset, what), dry_run: true })) as FoundMessages,
    async erase(dataset, what, vacuum) {
      const { erasure } = (await ask('', { ...bodyOf(dataset, what), vacuum })) as { erasure: string }
      return ended(erasure)
    },
    pending: async () => ((await ask('')) as { erasures: ErasureState[] }).erasures,
    async resume(id, vacuum) {
      await ask(`/${id}`, { vacuum })
      return ended(id)
    },
  }
}

async function eraserHere(
  { settings }: Args,
  io: Io,
  closing: Closing,
  signal: AbortSignal,
): Promise<Eraser> {
  const clock = nodeClock()
  const disk = nodeDisk()
  const host = { disk, clock, random: nodeRandom(), logLine: logLineTo(io, () => clock.nowMs()), signal }
  const definitions = settings.definitions(await builtInDefinitions())
  // Loaded only where it runs: others do without DuckDB.
  const { openData } = await import('../compose/data-directory.ts')
  const { startErasing } = await import('../compose/erasures.ts')
  const engine = settings.text('batch.engine')
  const opened = await openData(
    { settings, definitions, command: 'erase', engine, scheduled: false },
    host,
    closing,
  )
  const rejects = join(settings.dataDir(), 'rejects')
  const machine = {
    forgetRejects: (words: readonly string[]) => forgetRejects(disk, rejects, words),
    removesIndex: true,
  }
  const erasures = startErasing(settings, opened, machine, host, closing)
  const who = `user ${userName()}`
  return {
    preview: (dataset, what) => erasures.preview(dataset, what),
    erase: async (dataset, what, vacuum) => (await erasures.start({ ...what, dataset, who, vacuum })).ended,
    pending: () => erasures.pending(),
    resume: async (id, vacuum) => (await erasures.resume(id, { vacuum }))!,
  }
}
