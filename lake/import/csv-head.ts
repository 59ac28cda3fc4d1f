import type { CsvForm, ImportColumn } from './columns.ts'
import { usage } from './named-column.ts'
import { looksLikeTime } from './times.ts'

/** The comma last: numbers have it too. */
const DELIMITERS = [';', '\t', '|', ','] as const
const SAMPLES_MAX = 50
/** A title or a head may have a few lines within quotes; where there are more, a quote is not closed. */
const LINES_WITHIN_QUOTES_MAX = 5
/** By which Excel is told the delimiter. */
const SEPARATOR = /^"?sep=(.)"?$/i

/**
 * Reads the head of a CSV file: its delimiter, where its header is and what its columns are called. The header is the first line
 * that is not empty; comments (`#`) before it are left out, unless the only comment is the header itself, as sadf writes it.
 * Where a person names the columns, every line is a row. Null when there is none. Throws `E_USAGE` for a quote above the rows that is
 * not closed.
 */
export function readCsvHead(
  text: string,
  { isWhole, header: named }: { isWhole: boolean; header: readonly string[] | null },
): { form: CsvForm; columns: ImportColumn[]; isRow: boolean } | null {
  const lines = wholeLines(text.replace(/^\ufeff/, ''), isWhole)
  const said = SEPARATOR.exec(lines[0] ?? '')?.[1]
  const isComment = (line: string) => line.startsWith('#')
  const isRow = (line: string) => line.trim() !== '' && !isComment(line) && !SEPARATOR.test(line)
  const full = lines.filter(isRow)
  if (full.length === 0) return null
  const { delimiter, fields } = said === undefined ? formOf(full) : { delimiter: said, fields: 1 }
  const isTable = full.some((line) => !isTitle(line, delimiter, fields))
  const first = lines.findIndex((line) => isRow(line) && !(isTable && isTitle(line, delimiter, fields)))
  const above = lines[first - 1] ?? ''
  const headed = fieldsOf(above.replace(/^#\s*/, ''), delimiter)
  // A header that is a comment stands right above rows with as many fields, of which not every one is a name.
  const isCommented =
    isComment(above) &&
    headed.length > 1 &&
    headed.length === fieldsOf(lines[first]!, delimiter).length &&
    !isAnnotation(above)
  const quoteEscape = lines[first]!.includes('\\"') ? '\\' : '"'
  const top = fieldsOf(lines[first]!.replaceAll('\\"', '""'), delimiter)
  const header = named ?? (isCommented ? headed : top)
  const skip = isCommented || named !== null ? first : first + 1
  const rows = lines
    .slice(skip)
    .filter(isRow)
    .map((line) => fieldsOf(line, delimiter))
  const columns = uniqueNames(header).map((name, i) => ({
    name,
    type: 'VARCHAR',
    samples: rows
      .map((row) => row[i]?.trim() ?? '')
      .filter((value) => value !== '')
      .slice(0, SAMPLES_MAX),
  }))
  const comments = lines.some(isComment)
  const skipped = lines.slice(0, skip).filter((line) => !(comments && isComment(line)))
  if (skipped.some((line) => isOpen(line, [delimiter])))
    throw usage('a quote opens above the rows and is not closed: they would be lost in it', {
      hint: 'mend that line, or leave it out',
    })
  const form: CsvForm = { delimiter, quoteEscape, skip: skipped.length, comments }
  return { form, columns, isRow: header === top && isRowOfValues(top) }
}

/** Whether the first line holds a time and a number, as no header does. */
function isRowOfValues(fields: readonly string[]): boolean {
  const values = fields.map((field) => field.trim())
  return (
    values.some(looksLikeTime) &&
    values.some((value) => /^-?\d+(\.\d+)?$/.test(value) && !looksLikeTime(value))
  )
}

/** Lines of InfluxDB's annotated CSV that say what the columns are, and are not their names. */
function isAnnotation(line: string): boolean {
  return /^#(datatype|group|default)\b/.test(line)
}

/** Its lines, as the engine counts them: one that ends within quotes goes on. The last one is cut off where the text is not the whole file. */
function wholeLines(text: string, isWhole: boolean): string[] {
  const split = text.split(/\r\n|\n|\r/)
  const lines: string[] = []
  for (let at = 0; at < split.length; ) {
    const joined = (count: number) => split.slice(at, at + count).join('\n')
    let count = 1
    while (count <= LINES_WITHIN_QUOTES_MAX && isOpen(joined(count))) count += 1
    if (count > LINES_WITHIN_QUOTES_MAX) count = 1
    lines.push(joined(count))
    at += count
  }
  return isWhole || lines.length === 1 ? lines : lines.slice(0, -1)
}

/** Whether a line ends within quotes: a quote that ends a field stands before a delimiter, or the end. */
function isOpen(line: string, delimiters: readonly string[] = DELIMITERS): boolean {
  const isEnd = (at: number) => at === line.length || delimiters.includes(line[at]!)
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '"') {
      at += 1
      while (at < line.length && !(line[at] === '"' && isEnd(at + 1))) at += line.startsWith('""', at) ? 2 : 1
      if (at >= line.length) return true
    }
    while (!isEnd(at)) at += 1
  }
  return false
}

/**
 * The delimiter that splits most of the first lines into equally many fields, and into how many. It splits the header as it does the
 * rows: of two that split rows alike, as of `1,5;2,5`, the one that splits more lines is it, then the one that makes more fields.
 */
function formOf(lines: readonly string[]): { delimiter: string; fields: number } {
  let best = { delimiter: ',', fields: 1, found: 0 }
  for (const delimiter of DELIMITERS) {
    const counts = lines.slice(0, 20).map((line) => fieldsOf(line, delimiter).length)
    const [fields, found] = [...Map.groupBy(counts, (count) => count)]
      .map(([count, all]) => [count, all.length] as const)
      .reduce((most, one) => (one[1] > most[1] ? one : most))
    const isBetter = found > best.found || (found === best.found && fields > best.fields)
    if (fields > 1 && found / counts.length >= 0.7 && isBetter) best = { delimiter, fields, found }
  }
  return best
}

/** Whether a line above a table says what it is: most lines have more fields, and of its own one at most is not empty. */
function isTitle(line: string, delimiter: string, fields: number): boolean {
  return fields > 2 && fieldsOf(line, delimiter).filter((field) => field.trim() !== '').length < 2
}

/** Fields of a line as RFC 4180 writes them. */
export function fieldsOf(line: string, delimiter: string): string[] {
  const fields: string[] = []
  let at = 0
  while (at <= line.length) {
    if (line[at] === '"') {
      let field = ''
      at += 1
      while (at < line.length) {
        if (line[at] !== '"') field += line[at++]
        else if (line[at + 1] === '"') {
          field += '"'
          at += 2
        } else break
      }
      fields.push(field)
      const next = line.indexOf(delimiter, at)
      at = next === -1 ? line.length + 1 : next + 1
    } else {
      const next = line.indexOf(delimiter, at)
      fields.push(line.slice(at, next === -1 ? undefined : next))
      at = next === -1 ? line.length + 1 : next + 1
    }
  }
  return fields
}

/** Names of columns, each once: a nameless one is `column 3`, a second `x` is `x 2`. */
function uniqueNames(names: readonly string[]): string[] {
  const used = new Set<string>()
  return names.map((given, i) => {
    const name = given.trim() || `column ${i + 1}`
    let unique = name
    for (let n = 2; used.has(unique); n++) unique = `${name} ${n}`
    used.add(unique)
    return unique
  })
}
