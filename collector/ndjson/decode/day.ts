import { DAY_MS } from '../../../schemas/time.ts'
import { two } from './digits.ts'

const MINUS = 0x2d
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Reads a date like `2026-11-23` at `at`. Returns milliseconds since 1970, NaN when there is no such day. */
export function readDay(bytes: Uint8Array, at: number): number {
  const year = two(bytes, at) * 100 + two(bytes, at + 2)
  const month = two(bytes, at + 5)
  const day = two(bytes, at + 8)
  if (bytes[at + 4] !== MINUS || bytes[at + 7] !== MINUS) return Number.NaN
  const exists = year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month)
  return exists ? daysSince1970(year, month, day) * DAY_MS : Number.NaN
}

function daysOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 && isLeap ? 29 : DAYS[month - 1]!
}

/** Howard Hinnant, chrono-Compatible Low-Level Date Algorithms: `days_from_civil`, for years from 0. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const ofEra = y - era * 400
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468
}
