import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openAudit } from '../../lake/audit.ts'
import { correct, correctedBy, type RefusedCorrection } from '../../lake/correct.ts'
import { Importing } from '../../lake/import/importer.ts'
import { DEFAULT_DATASET } from '../../schemas/dataset.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { ALL_SETTINGS, type Args, type Command, type Io, logLineTo } from '../command.ts'
import { Closing } from '../compose/closing.ts'
import { lakeStore } from '../compose/lake-store.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeRandom } from '../host/random.ts'
import { userName } from '../host/user.ts'
import { amount } from './amount.ts'
import { filesOf, lookAt } from './import/files.ts'
import { ownScratch } from './import/scratch.ts'
import { refusedText } from './import/words.ts'
import { datasetOf, openTarget, optionsOf } from './import.ts'
import { runLine } from './runs.ts'

export const correctCommand: Command = {
  name: 'correct',
  summary: 'Put rows of a file (csv, ndjson, parquet) in the place of the messages that they name',
  operands: 'FILE',
  flags: [
    { name: 'dataset', value: 'NAME', about: `Dataset of the messages (${DEFAULT_DATASET})` },
    { name: 'map', value: 'NAME=COLUMN,...', about: 'Columns of the file by those of the dataset' },
    { name: 'set', value: 'NAME=VALUE,...', about: 'Values that all rows have' },
    { name: 'time-format', value: 'FORMAT', about: 's, ms, us, ns, or as strptime (as they look)' },
    { name: 'tz', value: 'ZONE', about: 'Time zone of times that have none (UTC)' },
    { name: 'dry-run', about: 'Say what would be corrected and refused; write nothing' },
  ],
  settings: ALL_SETTINGS,
  needsData: true,
  example: 'tidemark correct corrected.csv --dry-run',
  run,
}

/** Refused rows that are shown one by one. */
const SHOWN_MAX = 20

async function run(args: Args, io: Io): Promise<number> {
  const { flags, operands, settings } = args
  if (operands.length !== 1) throw new TidemarkError('E_USAGE', 'name one file of corrected rows')
  const options = optionsOf(flags)
  const isDry = flags['dry-run'] !== undefined
  const scratch = await ownScratch(join(settings.dataDir(), 'scratch'))
  const closing = new Closing(logLineTo(io, () => nodeClock().nowMs()))
  const stopping = new AbortController()
  const { signal } = stopping
  void io.stopped.then(() => stopping.abort(new TidemarkError('E_CANCELLED', 'the correction was stopped')))
  const host = { disk: nodeDisk(), clock: nodeClock(), random: nodeRandom() }
  try {
    const [named] = await filesOf(operands, io.cwd, join(scratch, 'stdin'), signal)
    if (named === undefined) throw new TidemarkError('E_USAGE', 'the folder holds no file of rows')
    const file = await lookAt(named, null, scratch, signal)
    const target = await openTarget(args, io, closing, signal)
    const { dataset, messages } = datasetOf(target, flags.dataset ?? DEFAULT_DATASET)
    const audit = openAudit({ ...host, store: lakeStore(settings, host).store })
    /** Again after a crash in between: the record is written once. */
    const record = async (rows: number, refused: number) => {
      const acts = await audit.list(0, host.clock.nowMs() + 1)
      if (acts.some(({ what, about }) => what === 'correct' && about.sha256 === file.sha256)) return
      // Without the name of the file, which may be that of what is erased later.
      const about = { sha256: file.sha256, dataset: dataset.name, refused }
      await audit.record({ who: `user ${userName()}`, what: 'correct', about, rows, result: 'done' })
    }
    const before = correctedBy(await messages.snapshot(), file.sha256)
    if (before !== null) {
      await record(before, 0)
      io.out(`${file.name}: was made already; nothing changes\n`)
      return 0
    }
    // What was accepted and is not sealed can be named too.
    if (!isDry) await target.run()
    const tree = { disk: host.disk, removeTree: (dir: string) => rm(dir, { recursive: true, force: true }) }
    const deps = { dataset, messages, clock: host.clock, signal }
    const reading = await Importing.read(file, options, {
      ...deps,
      scratch: tree,
      dir: join(scratch, 'rows'),
    })
    try {
      const about = { name: file.name, sha256: file.sha256, isDry }
      const { rows, files, refused } = await correct(await reading.corrections(), about, deps)
      const wrong = reading.preview.staged.refused
      const did = isDry ? 'would be corrected' : 'corrected'
      io.out(`${file.name}: ${amount(rows, 'row')} ${did} in ${amount(files, 'file')}\n`)
      io.out(`${refusedText(wrong, null)}${refusedRows(refused)}`)
      if (!isDry && rows > 0) {
        await record(rows, refused.length)
        for (const one of await target.run()) io.out(`${runLine(one)}\n`)
      }
      return refused.length + wrong.length > 0 ? 1 : 0
    } finally {
      await reading.close()
    }
  } finally {
    await closing.close()
    await rm(scratch, { recursive: true, force: true })
  }
}

function refusedRows(refused: readonly RefusedCorrection[]): string {
  const lines = refused.slice(0, SHOWN_MAX).map(({ row, why }) => `row ${row} ${why}`)
  if (refused.length > SHOWN_MAX) lines.push(`and ${refused.length - SHOWN_MAX} rows more`)
  return lines.map((line) => `  ${line}\n`).join('')
}
