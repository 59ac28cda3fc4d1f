import type { Dataset } from '../../schemas/dataset.ts'
import type { ImportFile, ImportFormat, ImportSource } from './columns.ts'
import { readCsvHead } from './csv-head.ts'
import type { ImportEngine } from './engine.ts'
import { type ImportOptions, usage } from './named-column.ts'
import { fieldsOfObjects, objectIn, objectsOfLines, rowsWithin } from './ndjson-head.ts'
import { jsonArraySql } from './rows-sql.ts'
import { seriesFormOf } from './series/forms.ts'
import { refusal } from './series/refusal.ts'
import { rowsOfSeries, type SeriesRows } from './series/rows.ts'
import { seriesTextForm } from './series/texts.ts'
import { PARQUET } from './text-head.ts'

/** Objects of an array that are looked at. */
const OBJECTS = 50

/** The file of the rows, which is the file itself unless they are made of its series. */
export async function rowsOf(
  file: ImportFile,
  options: ImportOptions,
  dataset: Dataset,
  engine: ImportEngine,
): Promise<SeriesRows> {
  const { path, compression } = file
  const how = { engine, dataset, options }
  const answered = refusal(file.head.text)
  if (answered !== null) throw usage(`${file.name} ${answered.what}`, { hint: answered.hint })
  const text = seriesTextForm(path, compression, file.head.text)
  if (text !== null) return rowsOfSeries(text, how)
  const source = await sourceOf(file, options, engine)
  const form = seriesFormOf(path, source, how)
  return form === null ? { path, source } : rowsOfSeries(form, how)
}

/** Throws `E_USAGE` for what is of no known format, or has no rows. */
async function sourceOf(
  file: ImportFile,
  options: ImportOptions,
  engine: ImportEngine,
): Promise<ImportSource> {
  const format = file.format ?? formatOf(file.head.text)
  const { compression, path } = file
  if (format === 'parquet') {
    const columns = await engine.parquetColumns(path)
    if (columns.every(({ samples }) => samples.length === 0)) throw usage(`${file.name} has no rows`)
    return { format, compression, columns }
  }
  // A row with zeros is refused alone, as after a crash of what wrote the file.
  if (file.head.text.split(/[\r\n]/, 1)[0]!.includes('\0'))
    throw usage(`${file.name} is no text, and of no other format that is known`)
  return format === 'ndjson' ? jsonSource(file, engine) : csvSource(file, options)
}

async function jsonSource(
  { head, isWhole, path, compression, name }: ImportFile,
  engine: ImportEngine,
): Promise<ImportSource> {
  const form = { format: 'ndjson', compression, encoding: head.encoding } as const
  if (head.text.trimStart().startsWith('[')) {
    const found = (await engine.run(
      `SELECT json::VARCHAR FROM ${jsonArraySql(path, compression)} LIMIT ${OBJECTS}`,
    )) as [string][]
    const columns = fieldsOfObjects(found.flatMap(([text]) => objectIn(text) ?? []))
    if (columns.length === 0) throw usage(`${name} is an array without objects`)
    return { ...form, columns, json: 'array' }
  }
  const objects = objectsOfLines(head.text, isWhole)
  const rows = isWhole && objects?.length === 1 ? rowsWithin(objects[0]!) : null
  if (rows !== null)
    throw usage(`${name} is one document, whose rows are in ${rows}`, {
      hint: `give \`jq -c '.${rows}[]' FILE | tidemark import -\``,
    })
  if (objects !== null) return { ...form, columns: fieldsOfObjects(objects), json: 'lines' }
  throw usage(`${name} has no JSON object a line: it may be one document`, {
    hint: 'give an object a line, or an array of objects: `jq -c .rows[] FILE | tidemark import -`',
  })
}

function csvSource(
  { head, isWhole, compression, name }: ImportFile,
  { header }: ImportOptions,
): ImportSource {
  const read = readCsvHead(head.text, { isWhole, header })
  if (read === null) throw usage(`${name} has no header and no rows`)
  const { form, columns, isRow } = read
  if (columns.length === 1)
    throw usage(`${name} has one column only`, {
      hint: 'a comma, a semicolon, a tab or a bar divides columns; of spaces: `tr -s " " , < FILE | tidemark import -`',
    })
  if (isRow)
    throw usage(`the first line of ${name} is a row, and no header`, {
      hint: 'name its columns: --header time_stamp,service,host,...',
    })
  if (columns.every(({ samples }) => samples.length === 0))
    throw usage(
      isWhole ? `${name} has a header and no rows` : `${name} has no row that ends in its first 256 KiB`,
    )
  return { format: 'csv', compression, encoding: head.encoding, columns, csv: form }
}

/** By what is in it: names of files tell less. */
function formatOf(text: string): ImportFormat {
  if (text.startsWith(PARQUET)) return 'parquet'
  // A byte-order mark is white space here.
  return /^[{[]/.test(text.trimStart()) ? 'ndjson' : 'csv'
}
