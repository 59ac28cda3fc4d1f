import { type Dataset, DEFAULT_DATASET, formOf, type MessageForm, nameColumns } from './dataset.ts'
import { TidemarkError } from './errors.ts'
import { constantColumn, type StringColumn, stringAt, toStringColumn } from './string-column.ts'

/** One row of a dataset, with every default filled in. */
export interface Message {
  /** Values of the dataset's keys, then of its source where it has one (`nameColumns`). */
  readonly names: readonly string[]
  /** When it was measured: whole milliseconds since 1970. */
  readonly timeMs: number
  /** In the order of the dataset's gauges; NaN for an optional one that is absent. */
  readonly gauges: readonly number[]
  /** In the order of the dataset's attributes. */
  readonly attributes?: readonly (string | null)[]
  /** The sender's id and its number for this message; both null for an unnumbered line. */
  readonly agent: string | null
  readonly seq: number | null
}

/**
 * Messages of one dataset as columns of equal length: what a block holds, and what speed folds and the lake writer seals
 * without an object per message.
 */
export interface Columns {
  readonly form: MessageForm
  readonly length: number
  /** In the order of `nameColumns`. */
  readonly names: readonly StringColumn[]
  readonly attributes: readonly StringColumn<string | null>[]
  readonly agent: StringColumn<string | null>
  /** 0 where there is none. */
  readonly seq: Float64Array
  readonly timeMs: Float64Array
  /** NaN where a message lacks the gauge. */
  readonly gauges: readonly Float64Array[]
}

/** What a fold looks at. The columns may be longer than `length`. */
export type FoldColumns = Pick<Columns, 'form' | 'length' | 'names' | 'timeMs' | 'gauges'>

/** Lays messages of `dataset` out as columns. */
export function toColumns(dataset: Dataset, messages: readonly Message[]): Columns {
  const form = formOf(dataset)
  return {
    form,
    length: messages.length,
    names: nameColumns(form).map((_, c) => toStringColumn(messages.map(({ names }) => names[c]!))),
    attributes: form.attributes.map((_, c) =>
      toStringColumn(messages.map(({ attributes }) => attributes?.[c] ?? null)),
    ),
    agent: toStringColumn(messages.map(({ agent }) => agent)),
    seq: Float64Array.from(messages, ({ seq }) => seq ?? 0),
    timeMs: Float64Array.from(messages, ({ timeMs }) => timeMs),
    gauges: form.gauges.map((_, g) => Float64Array.from(messages, ({ gauges }) => gauges[g]!)),
  }
}

/** Message `i` of `columns`. */
export function messageAt(columns: Columns, i: number): Message {
  return {
    names: columns.names.map((column) => stringAt(column, i)),
    timeMs: columns.timeMs[i]!,
    gauges: columns.gauges.map((values) => values[i]!),
    ...(columns.attributes.length > 0 && {
      attributes: columns.attributes.map((column) => stringAt(column, i)),
    }),
    agent: stringAt(columns.agent, i),
    seq: columns.seq[i] || null,
  }
}

/** The column of that name among the keys and the source. Throws `E_COLUMNS` when there is none. */
export function nameColumn({ form, names }: Pick<Columns, 'form' | 'names'>, name: string): StringColumn {
  const column = names[nameColumns(form).indexOf(name)]
  if (column === undefined) throw new TidemarkError('E_COLUMNS', `${form.dataset} has no column ${name}`)
  return column
}

/** Why messages of `form` cannot be read as messages of `dataset`; null when they can. */
export function misfit(form: MessageForm, dataset: Dataset): string | null {
  const { name, keys, source, gauges, attributes } = dataset
  if (form.dataset !== name) return `they are of dataset ${form.dataset}, not ${name}`
  const same = String(form.keys) === String(keys) && form.source === source
  if (!same) return `their keys and source are ${nameColumns(form)}, not ${nameColumns(dataset)}`
  const foreign = [
    ...form.gauges.filter((gauge) => !gauges.some((known) => known.name === gauge)),
    ...form.attributes.filter((attribute) => !attributes.includes(attribute)),
  ]
  if (foreign.length > 0) return `they have ${foreign}, which ${name} does not have`
  const lacking = gauges.filter((gauge) => !gauge.optional && !form.gauges.includes(gauge.name))
  if (lacking.length > 0) return `they lack ${lacking.map((gauge) => gauge.name)}`
  return null
}

/**
 * `columns` in the columns of `dataset`: what an earlier definition did not have yet is absent. Throws `E_COLUMNS` when
 * they do not fit.
 */
export function fitTo(columns: Columns, dataset: Dataset): Columns {
  const { form } = columns
  const wanted = formOf(dataset)
  if (form === wanted) return columns
  const reason = misfit(form, dataset)
  if (reason !== null) throw new TidemarkError('E_COLUMNS', `messages do not fit: ${reason}`)
  const absent = () => new Float64Array(columns.length).fill(Number.NaN)
  return {
    ...columns,
    form: wanted,
    gauges: wanted.gauges.map((gauge) => columns.gauges[form.gauges.indexOf(gauge)] ?? absent()),
    attributes: wanted.attributes.map(
      (attribute) =>
        columns.attributes[form.attributes.indexOf(attribute)] ?? constantColumn(null, columns.length),
    ),
  }
}

/** The body of a message line, as agents send it. Times go out as ISO 8601 in UTC. */
export function toLine(dataset: Dataset, message: Message): string {
  const form = formOf(dataset)
  const fields: Record<string, unknown> = {}
  if (dataset.name !== DEFAULT_DATASET) fields.dataset = dataset.name
  nameColumns(form).forEach((name, c) => {
    fields[name] = message.names[c]
  })
  fields.time_stamp = new Date(message.timeMs).toISOString()
  form.gauges.forEach((gauge, g) => {
    if (!Number.isNaN(message.gauges[g])) fields[gauge] = message.gauges[g]
  })
  form.attributes.forEach((attribute, c) => {
    if (message.attributes?.[c] != null) fields[attribute] = message.attributes[c]
  })
  if (message.seq !== null) fields.seq = message.seq
  return JSON.stringify(fields)
}
