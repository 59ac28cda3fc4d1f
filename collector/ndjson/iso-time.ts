/** Date, time and zone; seconds, their fraction and the minutes of the offset may be left out. */
const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)$/
const MINUTE_MS = 60_000
const LAST_MINUTE_OF_DAY = 23 * 60 + 59
const LEAP_SECOND = 60

/**
 * Milliseconds since 1970 of an ISO 8601 time with zone, or of a number of milliseconds; what is finer is cut off. Null when
 * it is neither. A leap second, 23:59:60 in UTC, counts as the last millisecond of its minute, so that it stays in its day.
 */
export function readTime(value: unknown): number | null {
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
  // The midnight that ends a day is that of the next one.
  const isMidnight = hour === 24 && minute === 0 && second === 0 && ms === 0
  const isClock =
    (hour <= 23 || isMidnight) && minute <= 59 && second <= LEAP_SECOND && zoneHour <= 23 && zoneMinute <= 59
  if (!dayExists || !isClock) return null
  local.setUTCHours(hour, minute)
  const zone = (match[8] === '-' ? -1 : 1) * (zoneHour * 60 + zoneMinute) * MINUTE_MS
  const minuteMs = local.getTime() - zone
  if (second < LEAP_SECOND) return minuteMs + second * 1_000 + ms
  return isLastOfDay(minuteMs) ? minuteMs + MINUTE_MS - 1 : null
}

function isLastOfDay(minuteMs: number): boolean {
  const minute = new Date(minuteMs)
  return minute.getUTCHours() * 60 + minute.getUTCMinutes() === LAST_MINUTE_OF_DAY
}
