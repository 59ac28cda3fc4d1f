import { rename, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ReadTable } from '../../lake/query/catalog.ts'
import type { QueryAnswer } from '../../lake/query/query-types.ts'
import type { QueryValue } from '../../lake/query/values.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { versionOrTime } from '../../serving/http/as-of.ts'
import { csvLine } from '../../serving/http/csv.ts'
import { iso } from '../../serving/http/present.ts'
import { type Args, type Command, type Io, LAKE_SETTINGS } from '../command.ts'
import { diskError } from '../host/disk-error.ts'
import { amount } from './amount.ts'
import { queryTable } from './query-table.ts'
import { withQueries } from './with-queries.ts'

const FORMATS = ['table', 'csv', 'json', 'parquet'] as const

export const query: Command = {
  name: 'query',
  summary: 'SQL over the tables of the lake: messages, views, runs',
  operands: '"SELECT ..."',
  flags: [
    {
      name: 'as-of',
      value: 'TIME|VERSION',
      about: 'The tables as they were at a time; a version where one is read',
    },
    { name: 'format', value: 'FORMAT', about: `${FORMATS.join(', ')} (table); json is an object a line` },
    { name: 'output', value: 'FILE', about: 'Where the rows go; parquet needs one (standard output)' },
  ],
  settings: ['data', ...LAKE_SETTINGS, 'query.time_max', 'query.memory_max', 'query.rows_max'],
  needsData: true,
  example: 'tidemark query "SELECT service, count(*) AS messages FROM messages GROUP BY ALL"',
  run,
}

async function run({ flags, operands, settings }: Args, io: Io): Promise<number> {
  const [sql, ...more] = operands
  if (sql === undefined || more.length > 0)
    throw new TidemarkError('E_USAGE', 'give one query, in quotes: tidemark query "SELECT * FROM runs"')
  const format = FORMATS.find((one) => one === (flags.format ?? 'table'))
  if (format === undefined) throw new TidemarkError('E_USAGE', `--format must be ${FORMATS.join(', ')}`)
  const output = flags.output === undefined ? null : resolve(io.cwd, flags.output)
  if (format === 'parquet' && output === null)
    throw new TidemarkError('E_USAGE', '--format parquet needs --output FILE')
  const asOf = flags['as-of']
  const asked = { sql, asOf: asOf === undefined ? null : versionOrTime(asOf, 'UTC', '--as-of') }
  return withQueries(settings, io, async (queries, _tables, signal) => {
    const basis = (read: readonly ReadTable[], isCut: boolean) =>
      io.err(basisText(read, isCut ? queries.limits.rowsMax : null))
    if (format === 'parquet') {
      const part = `${output}.part`
      const { tables: read, isCut } = await queries.writeParquet(asked, part, signal)
      await rename(part, output!)
      basis(read, isCut)
      return 0
    }
    await using answer = await queries.run(asked, signal)
    const text = TEXTS[format](answer, output === null ? io.columns : null)
    if (output !== null) await toFile(text, output)
    // Whoever reads no further has read all he wanted.
    else for await (const some of text) if (!(await io.take(some))) return 0
    basis(answer.tables, answer.isCut())
    return 0
  })
}

/** Under its name once it is whole. */
async function toFile(text: AsyncIterable<string>, output: string): Promise<void> {
  const part = `${output}.part`
  try {
    await writeFile(part, text)
    await rename(part, output)
  } catch (error) {
    await rm(part, { force: true })
    throw error instanceof TidemarkError ? error : diskError(output, error)
  }
}

type Text = (answer: QueryAnswer, terminalColumns: number | null) => AsyncIterable<string>

const TEXTS: { readonly [format in 'table' | 'csv' | 'json']: Text } = {
  async *table(answer, terminalColumns) {
    const all: QueryValue[][] = []
    for await (const rows of answer.rows()) for (const row of rows) all.push(row)
    yield queryTable(answer.columns, all, terminalColumns)
  },
  async *csv(answer) {
    yield csvLine(answer.columns.map(({ name }) => name))
    for await (const rows of answer.rows()) yield rows.map(csvLine).join('')
  },
  async *json(answer) {
    const object = (row: readonly QueryValue[]) =>
      JSON.stringify(Object.fromEntries(answer.columns.map(({ name }, i) => [name, row[i]])))
    for await (const rows of answer.rows()) yield rows.map((row) => `${object(row)}\n`).join('')
  },
}

/** What the answer rests on, a line a table. */
function basisText(tables: readonly ReadTable[], cutAt: number | null): string {
  const lines = tables.map(({ name, version, timeMs, rows, files, sealedToMs }) => {
    if (version === null) return `${name}: nothing yet`
    const what = `${name}: version ${version} of ${iso(timeMs!)}, ${amount(rows, 'row')} in ${amount(files, 'file')}`
    if (sealedToMs === undefined) return what
    const sealed = sealedToMs === 0 ? 'nothing of the log' : `what was accepted up to ${iso(sealedToMs)}`
    return `${what}; it holds ${sealed}, what came since is still in the log`
  })
  const cut = cutAt === null ? [] : [`cut off after ${amount(cutAt, 'row')} (query.rows_max)`]
  return [...lines, ...cut].map((line) => `${line}\n`).join('')
}
