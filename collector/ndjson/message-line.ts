import { type Dataset, GAUGE_VALUE_MAX, type Gauge, nameColumns } from '../../schemas/dataset.ts'
import type { ErrorCode } from '../../schemas/errors.ts'
import type { Message } from '../../schemas/message.ts'
import { isName, NAME_CHARACTERS_MAX } from '../../schemas/name.ts'
import { AHEAD_MS_MAX, ATTRIBUTE_CHARACTERS_MAX } from '../intake/limits.ts'

/** What a line is judged by, besides its bytes. */
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

export interface Refusal {
  readonly code: ErrorCode
  readonly field: string | null
  /** What is wrong, with the value shortened. */
  readonly reason: string
  /** The message's number, where it can be read. */
  readonly seq: number | null
}

type Fields = { readonly [name: string]: unknown }

/** Says which datasets there are. */
export interface Datasets {
  /** Of lines that name none. */
  readonly usual: Dataset
  named(name: string): Dataset | null
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes and checks one line without its newline: every default filled in, or the first thing that is wrong. */
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
  if (dataset === null)
    return refuse('E_DATASET', 'dataset', `there is no dataset ${shown(fields.dataset)} here`)
  const names: string[] = []
  for (const column of nameColumns(dataset)) {
    const isSource = column === dataset.source
    const value = fields[column] ?? (isSource && !(column in fields) ? context.senderAddress : fields[column])
    if (!isName(value)) return refuse(isSource ? 'E_HOST' : 'E_SERVICE', column, nameReason(column, value))
    names.push(value)
  }
  const timeMs = fields.time_stamp === undefined ? context.arrivalMs : timeOf(fields.time_stamp)
  const wrongTime = timeReason(timeMs, fields.time_stamp, context)
  if (wrongTime !== null) return refuse('E_TIME', 'time_stamp', wrongTime)
  const gauges: number[] = []
  for (const gauge of dataset.gauges) {
    const value = gaugeOf(gauge, fields[gauge.name])
    if (value === null) return refuse('E_GAUGE', gauge.name, gaugeReason(gauge, fields[gauge.name]))
    gauges.push(value)
  }
  const attributes: (string | null)[] = []
  for (const name of dataset.attributes) {
    const value = fields[name] ?? null
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

/** The dataset of a line; null when it names one that there is not. A dataset may have a column of that name. */
function datasetOf(fields: Fields, { usual, named }: Datasets): Dataset | null {
  if (fields.dataset === undefined) return usual
  return typeof fields.dataset === 'string' ? named(fields.dataset) : null
}

/** The value of a gauge, NaN where it may be absent and is; null when it is wrong. */
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

/** The JSON object of a line. */
export function parseObject(line: Uint8Array): { fields: { [name: string]: unknown } } | Refusal {
  let text: string
  try {
    text = decoder.decode(line)
  } catch {
    return { code: 'E_UTF8', field: null, reason: 'the line is not valid UTF-8', seq: null }
  }
  let value: unknown
  // The stack of an error that nobody reads costs more than all the rest of a refused line.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    value = JSON.parse(text)
  } catch {
    return { code: 'E_JSON', field: null, reason: `the line is not JSON: ${shown(text)}`, seq: null }
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return {
      code: 'E_JSON',
      field: null,
      reason: `the line must be a JSON object, not ${shown(value)}`,
      seq: null,
    }
  return { fields: value as { [name: string]: unknown } }
}

function seqOf(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 1 ? (value as number) : null
}

function nameReason(field: string, value: unknown): string {
  return `${field} must be 1 to ${NAME_CHARACTERS_MAX} characters without control characters, not ${shown(value)}`
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:Z|([+-])(\d\d):?(\d\d))$/

/** Milliseconds of an ISO 8601 time with zone, or of a number of milliseconds; truncated. Null when it is neither. */
function timeOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.trunc(value) + 0 : null
  const match = typeof value === 'string' ? ISO.exec(value) : null
  if (match === null) return null
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const ms = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3))
  const zoneHour = Number(match[9] ?? 0)
  const zoneMinute = Number(match[10] ?? 0)
  const local = new Date(0)
  local.setUTCFullYear(year, month - 1, day)
  const dayExists = local.getUTCMonth() === month - 1 && local.getUTCDate() === day
  if (!dayExists || hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return null
  local.setUTCHours(hour, minute, second, ms)
  const zone = (match[8] === '-' ? -1 : 1) * (zoneHour * 60 + zoneMinute) * 60_000
  return local.getTime() - zone
}

function timeReason(
  timeMs: number | null,
  value: unknown,
  { arrivalMs, oldestMs }: LineContext,
): string | null {
  if (timeMs === null)
    return `time_stamp must be ISO 8601 with zone, or milliseconds since 1970, not ${shown(value)}`
  if (timeMs < oldestMs)
    return `time_stamp must not be before ${new Date(oldestMs).toISOString()}, not ${shown(value)}`
  if (timeMs > arrivalMs + AHEAD_MS_MAX)
    return `time_stamp must not be more than 10 minutes ahead of the collector's clock, not ${shown(value)}`
  return null
}

const knownFields = new WeakMap<Dataset, ReadonlySet<string>>()

function ignored(fields: Fields, dataset: Dataset, numbered: boolean): number {
  let known = knownFields.get(dataset)
  if (known === undefined) {
    const gauges = dataset.gauges.map(({ name }) => name)
    known = new Set([...nameColumns(dataset), ...gauges, ...dataset.attributes, 'time_stamp', 'dataset'])
    knownFields.set(dataset, known)
  }
  let count = 0
  for (const name in fields) if (!known.has(name) && !(numbered && name === 'seq')) count += 1
  return count
}

const SHOWN_CHARACTERS_MAX = 40

/** A value as JSON, shortened; of an array or object only its kind, since it can be nested deeper than the stack. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  const json = typeof value === 'string' ? JSON.stringify(value) : String(value)
  // By characters, so that none is cut in half.
  const characters = [...json.slice(0, 2 * SHOWN_CHARACTERS_MAX + 2)]
  if (characters.length <= SHOWN_CHARACTERS_MAX) return json
  return `${characters.slice(0, SHOWN_CHARACTERS_MAX).join('')}…`
}
