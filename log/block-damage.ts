/** What is said of bytes that are no block. */
export interface BlockDamage {
  readonly damage: string
}

export const TOO_SHORT = 'a block is shorter than its columns'
export const OTHER_LENGTH = 'a block has another length than its columns'
export const NO_ENTRY = 'a block names an entry that it does not have'
export const LACKS_VALUE = 'a block lacks a required value'
export const NO_NUMBER = 'a block has a number or time that is none'

/** Leaves the middle of the decoding; `orDamage` takes it. */
export class Damage extends Error {}

/** What `read` returns, or what is wrong with the bytes that it reads. */
export function orDamage<T>(read: () => T): T | BlockDamage {
  try {
    return read()
  } catch (error) {
    if (error instanceof Damage) return { damage: error.message }
    if (error instanceof RangeError) return { damage: TOO_SHORT }
    throw error
  }
}

/** The furthest time from 1970 that a date can have, in milliseconds. */
const TIME_MS_MAX = 8.64e15

export function isSeq(value: number): boolean {
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER && Math.trunc(value) === value
}

export function isTime(value: number): boolean {
  return Math.abs(value) <= TIME_MS_MAX && Math.trunc(value) === value
}
