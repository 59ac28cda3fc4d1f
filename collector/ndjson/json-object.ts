import { shown } from '../../schemas/shown.ts'
import { type Refusal, refusal } from './refusals.ts'

/** The fields of a line, whatever their values. */
export type Fields = { readonly [name: string]: unknown }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const BYTE_ORDER_MARK = '\ufeff'

/** Parses a line, which must be one JSON object. */
export function parseObject(line: Uint8Array): { readonly fields: Fields } | Refusal {
  let text: string
  try {
    text = decoder.decode(line)
  } catch {
    return refusal('E_UTF8', 'the line is not valid UTF-8')
  }
  let value: unknown
  // The stack of an error that nobody reads costs more than all the rest of a refused line.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    value = JSON.parse(text)
  } catch {
    const why = text.startsWith(BYTE_ORDER_MARK) ? 'it begins with a byte-order mark: ' : ''
    return refusal('E_JSON', `the line is not JSON: ${why}${shown(text)}`)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refusal('E_JSON', `the line must be a JSON object, not ${shown(value)}`)
  return { fields: value as Fields }
}
