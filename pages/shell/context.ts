import type { View } from '../api/types.ts'
import type { Range } from '../time/range.ts'
import type { Address } from './address.ts'

/** What a page shows: all of it comes from the address. */
export interface Shown {
  readonly address: Address
  readonly views: readonly View[]
  readonly view: View
  readonly zone: string
  readonly range: Range
  readonly nowMs: number
}
