import { TidemarkError } from '../../schemas/errors.ts'
import { type Args, type Command, type Io, LAKE_SETTINGS } from '../command.ts'
import { lakeAudit } from './lake/audit.ts'

export const lake: Command = {
  name: 'lake',
  summary: 'The lake itself: what was done to it',
  operands: 'audit',
  flags: [
    { name: 'from', value: 'TIME', about: 'audit: acts at or after this time (all)' },
    { name: 'to', value: 'TIME', about: 'audit: acts before this time (now)' },
    { name: 'format', value: 'FORMAT', about: 'table or json, an object a line (table)' },
  ],
  settings: ['data', ...LAKE_SETTINGS],
  example: 'tidemark lake audit --format json',
  run,
}

async function run(args: Args, io: Io): Promise<number> {
  const [action, ...more] = args.operands
  if (action === 'audit' && more.length === 0) return lakeAudit(args, io)
  throw new TidemarkError('E_USAGE', 'say `tidemark lake audit`')
}
