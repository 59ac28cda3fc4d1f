import { type ExpiredDate, expireMessages } from '../../../lake/expire/expire.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import type { Args, Io } from '../../command.ts'
import { report } from './report.ts'
import { openTables, recorded } from './upkeep.ts'

/** `tidemark lake expire`: messages older than `lake.keep` leave their tables now; the cells that they made stay. */
export async function lakeExpire(args: Args, io: Io): Promise<number> {
  const opened = await openTables(args)
  const keep = args.settings.keep('lake.keep')
  const isDry = args.flags['dry-run'] !== undefined
  const lines = report(args, io, ['table', 'date', 'rows', 'files'])
  const stopping = new AbortController()
  void io.stopped.then(() =>
    stopping.abort(new TidemarkError('E_CANCELLED', 'the expiry was stopped; what is gone stays so')),
  )
  let rows = 0
  const done = (date: ExpiredDate) => {
    rows += date.rows
    lines.add({ ...date })
  }
  async function expire(): Promise<number> {
    for (const tables of opened.tables.datasets)
      await expireMessages(tables, { keep, isDry, done }, { ...opened, signal: stopping.signal })
    return rows
  }
  if (isDry) await expire()
  else await recorded(opened, 'lake expire', expire)
  return lines.end(isDry ? 'Nothing is to expire.' : 'Nothing was to expire.')
}
