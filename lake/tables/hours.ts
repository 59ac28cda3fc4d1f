import type { DataFile } from '../delta/port.ts'

/** `2026-11-22T10`: the name of a UTC hour, which sorts by time. */
export function hourName(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 13)
}

/** Start of the hour of that name. */
export function hourStartMs(name: string): number {
  return Date.parse(`${name}:00:00Z`)
}

/** The UTC date of an hour's name. */
export function dateOfHour(hour: string): string {
  return hour.slice(0, 10)
}

/** UTC hours of the day that a file of `messages` holds rows of: tag `hours`, like `"0,13"`. */
export function hoursTag(hours: Iterable<number>): string {
  return [...new Set(hours)].sort((a, b) => a - b).join(',')
}

/** The hours a file of `messages` holds, as `hourName`s. */
export function hoursOf(file: DataFile): string[] {
  return (file.tags.hours ?? '')
    .split(',')
    .filter((hour) => hour !== '')
    .map((hour) => `${file.partition.date}T${hour.padStart(2, '0')}`)
}
