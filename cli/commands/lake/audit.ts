import { openAudit, type RecordedAct } from '../../../lake/audit.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { TIME_MS_MAX } from '../../../schemas/time.ts'
import { parseInstant } from '../../../serving/range.ts'
import type { Args, Io } from '../../command.ts'
import { lakeStore } from '../../compose/lake-store.ts'
import { textTable } from '../../help.ts'
import { nodeClock } from '../../host/clock.ts'
import { nodeDisk } from '../../host/disk.ts'
import { nodeRandom } from '../../host/random.ts'

/** `tidemark lake audit`: what was done to the lake, newest first. */
export async function lakeAudit({ flags, settings }: Args, io: Io): Promise<number> {
  const format = flags.format ?? 'table'
  if (!['table', 'json'].includes(format)) throw new TidemarkError('E_USAGE', '--format must be table, json')
  const fromMs = flags.from === undefined ? 0 : parseInstant('--from', flags.from, 'UTC')
  const toMs = flags.to === undefined ? TIME_MS_MAX : parseInstant('--to', flags.to, 'UTC')
  const host = { disk: nodeDisk(), clock: nodeClock(), random: nodeRandom() }
  const acts = await openAudit({ ...host, store: lakeStore(settings, host).store }).list(fromMs, toMs)
  if (format === 'json') for (const act of acts) io.out(`${JSON.stringify(presentAct(act))}\n`)
  else io.out(acts.length === 0 ? 'Nothing is recorded.\n' : actsTable(acts))
  return 0
}

function presentAct({ timeMs, ...act }: RecordedAct) {
  return { time: new Date(timeMs).toISOString(), ...act }
}

function actsTable(acts: readonly RecordedAct[]): string {
  const rows = acts.map(({ timeMs, who, what, rows, about, result }) => [
    new Date(timeMs).toISOString(),
    who,
    what,
    rows === null ? '' : String(rows),
    result,
    Object.entries(about)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join(' '),
  ])
  return textTable([['time', 'who', 'what', 'rows', 'result', 'about'], ...rows])
}
