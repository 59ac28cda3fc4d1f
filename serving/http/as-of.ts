import { TidemarkError } from '../../schemas/errors.ts'
import type { AsOf } from '../answers.ts'
import { parseInstant, parseZone } from '../range.ts'

/**
 * Which version a request is about: an integer is a version of the view, anything else a time; null without `as_of`. Versions are of
 * one view, so that `isOne`, by default where there is no `by`, must hold.
 */
export function parseAsOf(
  { as_of: text, tz, by }: { readonly [name: string]: string | undefined },
  isOne = by === undefined,
): AsOf | null {
  if (text === undefined) return null
  if (!isOne)
    throw new TidemarkError(
      'E_PARAMETER',
      'as_of is answered for one key of one view: leave out by, and name the whole key',
      { field: 'as_of' },
    )
  return versionOrTime(text, parseZone(tz))
}

/** An integer, however large or below 0, is a version, anything else a time. Throws `E_PARAMETER`, which calls it `name`. */
export function versionOrTime(text: string, zone = 'UTC', name = 'as_of'): AsOf {
  if (!/^-?\d+$/.test(text)) return { timeMs: parseInstant(name, text, zone) }
  return { version: Math.min(Number(text), Number.MAX_SAFE_INTEGER) }
}
