import { definitionHash, definitionJson, parseDefinition, type View } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import type { DataFile, Snapshot } from '../delta/port.ts'
import { isText, storedJson } from './stored-json.ts'

/** Table of the cells of a view whose messages are expired; the same columns, partitioned by date. */
export function frozenTable(view: Pick<View, 'name'>): string {
  return `${view.name}_frozen`
}

/** Says in `messages` that the rows of an expiry are gone, and how many: from then on its frozen cells count. */
export const expireApp = (id: string) => `expire/${id}`

/** The value of that txn where an expiry ended before its rows were gone: its cells count for nothing. */
export const ABANDONED = 0

/** Cells of messages that are no longer kept: those of one expiry and date. */
export interface FrozenFile {
  readonly file: DataFile
  readonly expiry: string
  /** Of the definition that the cells follow. */
  readonly hash: string
  readonly view: View
}

/** The tags of a file of frozen cells. */
export function frozenTags(expiry: string, view: View): Record<string, string> {
  const tag = { expiry, hash: definitionHash(view), definition: definitionJson(view) }
  return { frozen: JSON.stringify(tag) }
}

/**
 * The frozen cells that count beside the rows of `messages`, by date. `frozen` must have been read after it: cells are
 * committed before their rows go. Throws `E_TABLE_DAMAGED`.
 */
export function frozenFiles(frozen: Snapshot | null, messages: Snapshot): Map<string, FrozenFile[]> {
  const found = new Map<string, FrozenFile[]>()
  for (const file of frozen?.files.values() ?? []) {
    const { expiry, hash, definition } = tagOf(file)
    // Its rows are still there: the expiry was not finished, or lost a race.
    if ((messages.txns.get(expireApp(expiry))?.version ?? ABANDONED) === ABANDONED) continue
    const date = file.partition.date!
    const one = { file, expiry, hash, view: parseDefinition(definition) }
    found.set(date, [...(found.get(date) ?? []), one])
  }
  for (const files of found.values()) files.sort((a, b) => (a.file.path < b.file.path ? -1 : 1))
  return found
}

/**
 * Whether frozen cells can be cells of `view`. Of a definition that changed they can while key, bucket and columns are the same:
 * they are left as they were made, for their messages are gone.
 */
export function fitsView({ view: made }: FrozenFile, view: View): boolean {
  const shape = (of: View) => JSON.stringify([of.key, of.bucketMs, viewColumns(of)])
  return shape(made) === shape(view)
}

/** The expiry that made a file of frozen cells. Throws `E_TABLE_DAMAGED`. */
export function expiryOf(file: DataFile): string {
  return tagOf(file).expiry
}

function tagOf(file: DataFile): Tag {
  return storedJson<Tag>(file.path, file.tags.frozen ?? '{}', FIELDS)
}

interface Tag {
  readonly expiry: string
  readonly hash: string
  readonly definition: string
}

const FIELDS = { expiry: isText, hash: isText, definition: isText }
