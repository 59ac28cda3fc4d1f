import { TidemarkError } from '../../schemas/errors.ts'
import { type Args, type Command, type Io, LAKE_SETTINGS } from '../command.ts'
import { lakeAudit } from './lake/audit.ts'
import { lakeExpire } from './lake/expire.ts'
import { lakeMend } from './lake/mend.ts'
import { lakeFilesOf, lakeLog } from './lake/tables.ts'
import { lakeCompact, lakeVacuum } from './lake/upkeep.ts'

export const lake: Command = {
  name: 'lake',
  summary: 'The lake itself: versions and files of its tables, what was done to it, and its upkeep now',
  operands: 'log [TABLE]|files [TABLE]|compact|vacuum|expire|mend|audit',
  flags: [
    { name: 'from', value: 'TIME', about: 'audit: acts at or after this time (all)' },
    { name: 'to', value: 'TIME', about: 'audit: acts before this time (now)' },
    { name: 'dry-run', about: 'compact, vacuum, expire: say what would be done; change nothing' },
    { name: 'force', about: 'vacuum: also with a lake.retention that others may not outlive' },
    { name: 'format', value: 'FORMAT', about: 'table or json, an object a line (table)' },
    { name: 'json', about: 'As --format json' },
  ],
  settings: ['data', ...LAKE_SETTINGS],
  needsData: true,
  example: 'tidemark lake audit --json',
  run,
}

const ACTIONS: { readonly [name: string]: (args: Args, io: Io) => Promise<number> } = {
  log: lakeLog,
  files: lakeFilesOf,
  audit: lakeAudit,
  compact: lakeCompact,
  vacuum: lakeVacuum,
  expire: lakeExpire,
  mend: lakeMend,
}

async function run(args: Args, io: Io): Promise<number> {
  const [name = '', ...more] = args.operands
  const mayName = name === 'log' || name === 'files'
  const fits = Object.hasOwn(ACTIONS, name) && more.length <= (mayName ? 1 : 0)
  const action = fits ? ACTIONS[name] : undefined
  if (action !== undefined) {
    const { json, ...flags } = args.flags
    return action(json === undefined ? args : { ...args, flags: { ...flags, format: 'json' } }, io)
  }
  throw new TidemarkError(
    'E_USAGE',
    `say \`tidemark lake ${Object.keys(ACTIONS).join('`, `tidemark lake ')}\``,
  )
}
