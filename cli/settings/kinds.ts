import { Cron } from 'croner'
import type { SettingKind } from '../../schemas/config.ts'
import { parseKeep } from './keep.ts'
import {
  parseAddress,
  parseBoolean,
  parseDate,
  parseDuration,
  parseHosts,
  parseInteger,
  parseOrigins,
  parsePrice,
  parseSize,
} from './values.ts'

/** What a value of each kind of setting looks like, for the error about another. */
export const EXPECTED: Record<SettingKind, string> = {
  string: 'text',
  duration: 'a duration like 250ms, 30s, 15m or 24h',
  bytes: 'a size like 512MiB or 8GiB',
  integer: 'a whole number above 0',
  price: 'a number like 0.023, or 0',
  keep: 'forever, or rules by commas like 400d, scores=30d or host/checkout=7d',
  boolean: 'true or false',
  address: 'an address like 127.0.0.1:8080 or [::1]:0',
  cron: 'a cron pattern of five or six fields like "0 * * * *"',
  date: 'a date like 2000-01-01, or an ISO 8601 time with zone',
  origins: 'origins separated by commas, like https://board.example.org (each is named; * is none)',
  hosts: 'host names separated by commas, like metrics.example.org',
}

/** What reads a value of each kind; null where it is none. */
const PARSERS: Record<SettingKind, (text: string) => unknown> = {
  string: (text) => text,
  duration: parseDuration,
  bytes: parseSize,
  integer: parseInteger,
  price: parsePrice,
  keep: parseKeep,
  boolean: parseBoolean,
  address: parseAddress,
  cron: parseCron,
  date: parseDate,
  origins: parseOrigins,
  hosts: parseHosts,
}

/** Whether `text` is a value of that kind. */
export function isValue(kind: SettingKind, text: string): boolean {
  return PARSERS[kind](text) !== null
}

function parseCron(text: string): string | null {
  const fields = text.trim().split(/\s+/).length
  if (fields !== 5 && fields !== 6 && !/^@\w+$/.test(text.trim())) return null
  try {
    new Cron(text, { paused: true, timezone: 'UTC' }).stop()
    return text
  } catch {
    return null
  }
}
