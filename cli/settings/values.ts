import { TIME_MS_MAX, TIME_MS_MIN, UNITS_MS } from '../../schemas/time.ts'

/** What settings and flags may look like. Each parser returns the value, or null when `text` is not one. */

export interface Address {
  readonly host: string
  readonly port: number
}

/** Milliseconds; more than 0. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  if (!match) return null
  const ms = Math.round(Number(match[1]) * UNITS_MS[match[2]!]!)
  return ms > 0 && Number.isSafeInteger(ms) ? ms : null
}

const UNITS_BYTES = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

/** Bytes; more than 0. */
export function parseSize(text: string): number | null {
  const match = /^(\d{1,6})(KiB|MiB|GiB)$/.exec(text)
  if (!match) return null
  return Number(match[1]) * UNITS_BYTES[match[2] as keyof typeof UNITS_BYTES] || null
}

export function parseInteger(text: string): number | null {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0
  return value > 0 ? value : null
}

/** A number from 0 up with a dot. */
export function parsePrice(text: string): number | null {
  return /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : null
}

export function parseBoolean(text: string): boolean | null {
  return text === 'true' ? true : text === 'false' ? false : null
}

/** `host:port`, an IPv6 host in brackets; port 0 takes a free one. */
export function parseAddress(text: string): Address | null {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text)
  if (!match) return null
  const port = Number(match[3])
  return port > 65_535 ? null : { host: (match[1] ?? match[2])!, port }
}

/** The reverse of `parseAddress`. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Host names separated by commas, without ports; in lower case. None is an empty text. */
export function parseHosts(text: string): string[] | null {
  if (text.trim() === '') return []
  const names = text.split(',').map((name) => name.trim().toLowerCase())
  return names.every((name) => /^[\p{L}\p{N}_]([\p{L}\p{N}._-]*[\p{L}\p{N}_])?$/u.test(name)) ? names : null
}

/** Origins as browsers write them, separated by commas. None is an empty text. */
export function parseOrigins(text: string): string[] | null {
  if (text.trim() === '') return []
  const origins = text.split(',').map((origin) => origin.trim())
  const isOrigin = (text: string) =>
    /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text
  return origins.every(isOrigin) ? origins : null
}

/** Milliseconds since 1970; a date means its midnight in UTC. The years are 1 to 9999. */
export function parseDate(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text)) return null
  const ms = Date.parse(text)
  // Date.parse takes 31 February for 3 March.
  const dayExists =
    !Number.isNaN(ms) && new Date(`${text.slice(0, 10)}T00:00Z`).getUTCDate() === Number(text.slice(8, 10))
  return dayExists && ms >= TIME_MS_MIN && ms <= TIME_MS_MAX ? ms : null
}
