import { ownColumns, type SeriesMade } from '../../../lake/import/columns.ts'
import type { ImportPreview } from '../../../lake/import/importer.ts'
import { arithmeticText } from '../../../lake/import/mapped.ts'
import type { Meaning, Origin } from '../../../lake/import/meaning.ts'
import { type NumberMarks, numberMarks } from '../../../lake/import/number-marks.ts'
import type { Refusal } from '../../../lake/import/refusals.ts'
import { describeTimeForm } from '../../../lake/import/times.ts'
import { type Dataset, nameColumns } from '../../../schemas/dataset.ts'
import { shown } from '../../../schemas/shown.ts'
import { textTable } from '../../help.ts'
import { amount } from '../amount.ts'

/** What an import says of a file, for a person at a terminal. */

const BY: { readonly [by in Origin['by']]: string } = {
  name: '',
  guess: ' (guessed)',
  map: ' (--map)',
  set: ' (--set)',
  default: ' (no column names it)',
}

const MARKS: { readonly [marks in NumberMarks]: string } = {
  comma: ', decimal comma',
  grouped: ', thousands marked',
  none: '',
}

/** What each column of the dataset is in the file, and the first rows as they would be taken. */
export function previewText(
  file: string,
  { source, meaning, firstRows, fractions }: ImportPreview,
  { dataset, zone }: { dataset: Dataset; zone: string },
): string {
  const origin = (value: Origin | null) => {
    if (value === null) return 'absent'
    if ('constant' in value) return `always ${JSON.stringify(value.constant)}${BY[value.by]}`
    const comma = MARKS[numberMarks(value.column.samples)]
    const column = arithmeticText(`column ${shown(value.column.name)}`, value.arithmetic ?? null)
    return `${column}${comma}${BY[value.by]}`
  }
  const { time } = meaning
  const columns = ownColumns(time.column).map(({ name }) => shown(name))
  const times = `${columns.length > 1 ? 'columns' : 'column'} ${columns.join(' and ')}, ${describeTimeForm(time.form, zone)}${BY[time.by]}`
  const meanings = [
    ...nameColumns(dataset).map((name, i) => [name, origin(meaning.names[i]!)]),
    ['time_stamp', times],
    ...dataset.gauges.map(({ name }, i) => [name, origin(meaning.gauges[i]!)]),
    ...dataset.attributes.map((name, i) => [name, origin(meaning.attributes[i]!)]),
  ]
  return `${file}: ${source.series === undefined ? formatText(source) : seriesText(source.series)}, into dataset ${dataset.name}\n${indented(textTable(meanings))}${firstRowsText(firstRows, dataset)}${fractionsText(fractions, meaning, dataset)}`
}

function formatText({ format, json, encoding = 'utf-8' }: ImportPreview['source']): string {
  const words = json === 'array' ? 'an array of JSON objects' : format
  return encoding === 'utf-8' ? words : `${words} in ${encoding}`
}

/** Names of values that are shown in one line. */
const VALUES_SHOWN = 8

/** What rows were made of. */
function seriesText({ words, count, values, repeated }: SeriesMade): string {
  const more = values.length > VALUES_SHOWN ? ` and ${values.length - VALUES_SHOWN} more` : ''
  const named = values.slice(0, VALUES_SHOWN).map(shown).join(', ')
  const made = `${words}, ${count.toLocaleString('en')} series of ${named}${more}`
  const rest =
    repeated === 0
      ? ''
      : `; ${repeated.toLocaleString('en')} values repeat a series and time, and are left out`
  return `${made}; one row for each time and source${rest}`
}

/** A hint where values in percent may be fractions. */
function fractionsText(fractions: readonly string[], { gauges }: Meaning, dataset: Dataset): string {
  const said = fractions.flatMap((name) => {
    const origin = gauges[dataset.gauges.findIndex((gauge) => gauge.name === name)]
    return origin && 'column' in origin ? [`${name}=${origin.column.name}*100`] : []
  })
  if (said.length === 0) return ''
  return `  no ${fractions.join(' or ')} is more than 1 %: if they are fractions of 1, say --map '${said.join()}'\n`
}

function firstRowsText(rows: ImportPreview['firstRows'], dataset: Dataset): string {
  if (rows.length === 0) return ''
  const names = nameColumns(dataset)
  const head = [...names, 'time_stamp', ...dataset.gauges.map(({ name }) => name)]
  const cells = rows.map((row) =>
    row.map((value, i) => {
      if (value === null) return ''
      if (i === names.length) return new Date(value as number).toISOString()
      return i < names.length ? shown(value) : String(value)
    }),
  )
  return indented(textTable([head, ...cells]))
}

export function refusedText(refused: readonly Refusal[], kept: string | null): string {
  const lines = refused.map(
    ({ why, rows, first, unit }) => `${amount(rows, 'row')} refused: ${why} (the first is ${unit} ${first})`,
  )
  if (kept !== null) lines.push(`they are kept in ${kept}`)
  return lines.map((line) => `  ${line}\n`).join('')
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
