import type { RunRecord } from '../../schemas/ports/layers.ts'
import { type PresentedRun, parseRun, presentRun } from '../../serving/http/present-run.ts'
import { type Args, type Command, type Io, LAKE_SETTINGS } from '../command.ts'
import { textTable } from '../help.ts'
import { nodeDisk } from '../host/disk.ts'
import { amount } from './amount.ts'
import { askRunning } from './ask.ts'
import { cancelCommand } from './runs/cancel.ts'

export const runs: Command = {
  name: 'runs',
  summary:
    'The batch runs, newest first; what changed between two versions of a view; the end of a run going on',
  operands: '[diff A B | cancel [RUN]]',
  flags: [
    { name: 'json', about: 'As JSON, one run a line' },
    { name: 'view', value: 'NAME', about: 'diff: of which view (the first)' },
  ],
  settings: ['data', ...LAKE_SETTINGS, 'query.time_max', 'query.memory_max', 'query.rows_max'],
  needsData: true,
  example: 'tidemark runs --data ./data',
  run,
}

/** Rows of the table for people. */
const SHOWN_MAX = 20
const ANSWER_MS_MAX = 30_000

async function run(args: Args, io: Io): Promise<number> {
  const { flags, operands, settings } = args
  if (operands[0] === 'cancel') return cancelCommand(args, io)
  if (operands.length > 0) {
    // Loaded only where it runs.
    const { diffCommand } = await import('./runs/diff.ts')
    return diffCommand(args, io)
  }
  const disk = nodeDisk()
  const request = { method: 'GET', timeoutMs: ANSWER_MS_MAX } as const
  const running = (await askRunning(disk, settings.dataDir(), '/v1/runs', request)) as {
    runs: PresentedRun[]
  } | null
  const records = running?.runs.map(parseRun) ?? (await fromLake())
  if (flags.json !== undefined)
    for (const record of records) io.out(`${JSON.stringify(presentRun(record))}\n`)
  else if (records.length === 0) io.out('No runs yet. Start one: tidemark batch --once\n')
  else io.out(`${runsTable(records.slice(0, SHOWN_MAX))}${olderText(records.length - SHOWN_MAX)}`)
  return 0

  async function fromLake(): Promise<RunRecord[]> {
    const { runsInLake } = await import('./runs-in-lake.ts')
    return runsInLake(settings, disk)
  }
}

/** What is not shown. */
const olderText = (n: number) => (n <= 0 ? '' : `${amount(n, 'older record')}: see --json\n`)

function runsTable(records: readonly RunRecord[]): string {
  const head = ['run', 'view', 'started', 'took', 'result', 'version', 'hours', 'files', 'rows']
  const rows = records.map((record) => [
    record.run,
    record.view,
    new Date(record.startedMs).toISOString(),
    seconds(record),
    record.error ?? record.result,
    record.viewVersion === null ? '' : String(record.viewVersion),
    ...[record.hours, record.files, record.rows].map((n) => n.toLocaleString('en')),
  ])
  return textTable([head, ...rows])
}

const seconds = ({ startedMs, endedMs }: RunRecord) => `${((endedMs - startedMs) / 1000).toFixed(1)} s`

/** One run as a sentence. */
export function runLine(record: RunRecord): string {
  const took = `in ${seconds(record)}`
  switch (record.result) {
    case 'published':
      return `run ${record.run} published version ${record.viewVersion} of ${record.view}: ${amount(record.hours, 'hour')} recomputed, ${amount(record.rows, 'row')} in ${amount(record.files, 'file')}, ${took}${record.report === null ? '' : `; ${record.report}`}`
    case 'nothing_new':
      return `run ${record.run} found nothing new for ${record.view}, ${took}`
    case 'lost_race':
      return `run ${record.run} of ${record.view} was discarded: another published first`
    case 'failed':
      return `run ${record.run} of ${record.view} failed: ${record.error}`
    case 'cancelled':
      return `run ${record.run} of ${record.view} was cancelled`
  }
}
