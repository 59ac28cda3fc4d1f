import type { Gap, Position } from '../../schemas/position.ts'
import type { View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import type { Field, Snapshot, TableSchema } from '../delta/port.ts'
import { required } from './fields.ts'
import { isGaps, isList, isPosition, isText, isWhole, storedJson } from './stored-json.ts'

/** Schema of a view's table: `viewColumns`, then the partition column `date`. */
export function viewSchema(view: View): TableSchema {
  return { fields: [...viewFields(view), required('date', 'date')], partitionBy: ['date'] }
}

/** Engines write every column so that it may be null; that none is, where it must not be, is theirs to see to. */
export function viewFields(view: View): Field[] {
  return viewColumns(view).map(({ name, type, nullable }) => ({ name, type, nullable }))
}

/** Raised by every publish of a view. */
export const publishApp = (view: string) => `publish/${view}`

/** What a published version of a view says of itself, in the same commit as its files. */
export interface ViewState {
  /** The tidemark. */
  readonly tidemark: Position
  readonly hash: string
  /** The definition as JSON. */
  readonly definition: string
  /** The version of `messages` that was read. */
  readonly messagesVersion: number
  /** The id of the commit that made that version; absent where it is not known. */
  readonly messagesCommit?: string
  /** Hours (`hourName`) that held rows above the tidemark in it. */
  readonly dirtyHours: readonly string[]
  /** Hours whose files could not be read: their cells are those of an older version. */
  readonly damagedHours?: readonly string[]
  /** Log time at the tidemark. */
  readonly logTimeMs?: { readonly [partition: number]: number }
  /** Damage below the tidemark. */
  readonly gaps: readonly Gap[]
  readonly run: string
}

/** Null before the first publish. Throws `E_TABLE_DAMAGED`. */
export function viewState(view: Snapshot | null): ViewState | null {
  const json = view?.configuration['tidemark.view']
  return json ? storedJson<ViewState>('the state of a published version', json, STATE) : null
}

const STATE = {
  tidemark: isPosition,
  hash: isText,
  definition: isText,
  messagesVersion: isWhole,
  dirtyHours: isList,
  gaps: isGaps,
  run: isText,
} as const

export function withViewState(view: Snapshot, state: ViewState): Record<string, string> {
  return { ...view.configuration, 'tidemark.view': JSON.stringify(state) }
}
