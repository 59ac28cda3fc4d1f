import { type Dataset, GAUGE_VALUE_MAX, type Gauge, nameColumns } from '../../schemas/dataset.ts'
import type { ErrorCode } from '../../schemas/errors.ts'
import { memoize } from '../../schemas/memoize.ts'
import type { Message } from '../../schemas/message.ts'
import { nameFault } from '../../schemas/name.ts'
import { shown } from '../../schemas/shown.ts'
import { AHEAD_MS_MAX, ATTRIBUTE_CHARACTERS_MAX } from '../intake/limits.ts'
import { readTime } from './iso-time.ts'
import { type Fields, parseObject } from './json-object.ts'
import { type Refusal, unknownDataset } from './refusals.ts'

/** What a line is judged by, beside its bytes. */
export interface LineContext {
  /** When it arrived, milliseconds since 1970: the default time, and what "ahead" is measured from. */
  readonly arrivalMs: number
  readonly oldestMs: number
  /** The default source. */
  readonly senderAddress: string
  /** The sender's id where its messages are numbered. */
  readonly agent: string | null
}

export interface Accepted {
  readonly dataset: Dataset
  readonly message: Message
  /** Fields that mean nothing here. */
  readonly ignoredFields: number
}

/** Says which datasets there are. */
export interface Datasets {
  /** Of lines that name none. */
  readonly usual: Dataset
  named(name: string): Dataset | null
}

/** Decodes and checks one line without its newline. Returns the message with every default, or the first thing that is wrong. */
export function decodeLine(line: Uint8Array, context: LineContext, datasets: Datasets): Accepted | Refusal {
  const json = parseObject(line)
  if ('code' in json) return json
  const { fields } = json
  // Without a hello a seq means nothing here.
  const seq = context.agent === null ? null : seqOf(fields.seq)
  const refuse = (code: ErrorCode, field: string, reason: string): Refusal => ({ code, field, reason, seq })

  if (context.agent !== null && seq === null)
    return refuse('E_SEQ', 'seq', `seq must be a whole number from 1, not ${shown(fields.seq)}`)
  const dataset = datasetOf(fields, datasets)
  if (dataset === null) return unknownDataset(fields.dataset, seq)
  // A column can have the name of something that every object inherits.
  const field = (name: string) => (Object.hasOwn(fields, name) ? fields[name] : undefined)
  const names: string[] = []
  for (const column of nameColumns(dataset)) {
    const isSource = column === dataset.source
    const value = isSource && !Object.hasOwn(fields, column) ? context.senderAddress : field(column)
    const fault = nameFault(value)
    if (fault !== null)
      return refuse(isSource ? 'E_HOST' : 'E_SERVICE', column, `${column} ${fault}, not ${shown(value)}`)
    names.push(value as string)
  }
  const timeMs = fields.time_stamp === undefined ? context.arrivalMs : readTime(fields.time_stamp)
  const wrongTime = timeReason(timeMs, fields.time_stamp, context)
  if (wrongTime !== null)
    return {
      ...refuse('E_TIME', 'time_stamp', wrongTime),
      isByClock: timeMs !== null && (fields.time_stamp === undefined || timeMs > context.arrivalMs),
    }
  const gauges: number[] = []
  for (const gauge of dataset.gauges) {
    const value = gaugeOf(gauge, field(gauge.name))
    if (value === null) return refuse('E_GAUGE', gauge.name, gaugeReason(gauge, field(gauge.name)))
    gauges.push(value)
  }
  const attributes: (string | null)[] = []
  for (const name of dataset.attributes) {
    const value = field(name) ?? null
    if (!isAttribute(value)) return refuse('E_ATTRIBUTE', name, attributeReason(name, value))
    attributes.push(value)
  }
  const message: Message = {
    names,
    timeMs: timeMs!,
    gauges,
    ...(attributes.length > 0 && { attributes }),
    agent: context.agent,
    seq,
  }
  return { dataset, message, ignoredFields: ignored(fields, dataset, context.agent !== null) }
}

/** Returns the dataset of a line; null when it names one that is not defined. */
function datasetOf(fields: Fields, { usual, named }: Datasets): Dataset | null {
  if (fields.dataset === undefined) return usual
  return typeof fields.dataset === 'string' ? named(fields.dataset) : null
}

/** Returns the value of a gauge, NaN for an optional one that is absent; null when it is wrong. */
function gaugeOf({ min, max, optional }: Gauge, value: unknown): number | null {
  if (optional && (value === undefined || value === null)) return Number.NaN
  if (typeof value !== 'number' || !(value >= min && value <= max)) return null
  // −0 is a zero like any other.
  return value + 0
}

function gaugeReason({ name, min, max }: Gauge, value: unknown): string {
  const plain = (bound: number) =>
    Math.abs(bound) === GAUGE_VALUE_MAX ? `${bound < 0 ? '-' : ''}1e15` : String(bound)
  return `${name} must be a finite number from ${plain(min)} to ${plain(max)}, not ${shown(value)}`
}

function isAttribute(value: unknown): value is string | null {
  if (value === null) return true
  return typeof value === 'string' && value.length <= ATTRIBUTE_CHARACTERS_MAX && value.isWellFormed()
}

function attributeReason(name: string, value: unknown): string {
  return `${name} must be text of at most ${ATTRIBUTE_CHARACTERS_MAX} characters, not ${shown(value)}`
}

function seqOf(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 1 ? (value as number) : null
}

function timeReason(
  timeMs: number | null,
  value: unknown,
  { arrivalMs, oldestMs }: LineContext,
): string | null {
  if (timeMs === null)
    return `time_stamp must be ISO 8601 with zone, or milliseconds since 1970, not ${shown(value)}`
  if (timeMs < oldestMs && value === undefined)
    return `the collector's clock stands at ${new Date(arrivalMs).toISOString()}, before collector.oldest, and time_stamp is missing`
  if (timeMs < oldestMs)
    return `time_stamp must not be before ${new Date(oldestMs).toISOString()}, not ${shown(value)}`
  if (timeMs > arrivalMs + AHEAD_MS_MAX)
    return `time_stamp must not be more than 10 minutes ahead of the collector's clock, not ${shown(value)}`
  return null
}

const knownFields = memoize((dataset: Dataset): ReadonlySet<string> => {
  const gauges = dataset.gauges.map(({ name }) => name)
  return new Set([...nameColumns(dataset), ...gauges, ...dataset.attributes, 'time_stamp', 'dataset'])
})

function ignored(fields: Fields, dataset: Dataset, numbered: boolean): number {
  const known = knownFields(dataset)
  let count = 0
  for (const name in fields) if (!known.has(name) && !(numbered && name === 'seq')) count += 1
  return count
}
