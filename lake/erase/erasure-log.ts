import type { Position } from '../../schemas/position.ts'
import type { RecordedAct } from '../audit.ts'
import type { ObjectStore } from '../store/port.ts'
import { isPosition, isText, isWhole, storedJson } from '../tables/stored-json.ts'
import type { ErasedRows } from './condition.ts'
import type { FrozenErased } from './frozen.ts'

/** Folder of the erasures that are not over yet; no table has such a name. */
const FOLDER = '_erasures/'

/** How far an erasure is. */
export type ErasureStage = 'rows' | 'views' | 'old versions'

/** An erasure that was asked for and is not over, as it is kept (docs/format/audit.md). */
export interface Erasure extends ErasedRows {
  readonly id: string
  readonly who: string
  readonly askedMs: number
  readonly dataset: string
  readonly upTo: Position
  /** What is to be done next. */
  readonly stage: ErasureStage
  /** Rows taken out, once they all were. */
  readonly rows: number
  /** What became of frozen cells; absent before, and where an older release began it. */
  readonly frozen?: FrozenErased
  /** When answers were right; null before. */
  readonly erasedMs: number | null
  /** The name of the receipt that is being written; null or absent while none is. */
  readonly receipt?: Pick<RecordedAct, 'id' | 'timeMs'> | null
}

const keyOf = (id: string) => `${FOLDER}${id}.json`

/** Keeps an erasure as it is now. */
export async function keepErasure(store: ObjectStore, erasure: Erasure): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify({ version: 1, ...erasure })}\n`)
  await store.put(keyOf(erasure.id), bytes)
}

/** Forgets an erasure that is over. */
export async function dropErasure(store: ObjectStore, id: string): Promise<void> {
  await store.delete(keyOf(id))
}

/** One that is not over; null when there is none of that id. Throws `E_TABLE_DAMAGED`. */
export async function readErasure(store: ObjectStore, id: string): Promise<Erasure | null> {
  return readAt(store, keyOf(id))
}

async function readAt(store: ObjectStore, key: string): Promise<Erasure | null> {
  const bytes = await store.get(key)
  return bytes === null ? null : storedJson<Erasure>(key, new TextDecoder().decode(bytes), FIELDS)
}

/** Those that are not over, in the order in which they were asked for. Throws `E_TABLE_DAMAGED`. */
export async function readErasures(store: ObjectStore): Promise<Erasure[]> {
  const found: Erasure[] = []
  for (const { key } of await store.list(FOLDER)) {
    const erasure = await readAt(store, key)
    if (erasure !== null) found.push(erasure)
  }
  return found.sort((a, b) => a.askedMs - b.askedMs || (a.id < b.id ? -1 : 1))
}

const isTexts = (value: unknown) =>
  typeof value === 'object' && value !== null && Object.values(value).every(isText)
const orNull = (check: (value: unknown) => boolean) => (value: unknown) => value === null || check(value)
const isFrozen = (value: unknown) => {
  const { removed, unnamed } = Object(value) as Partial<FrozenErased>
  return value === undefined || (isWhole(removed) && isWhole(unnamed))
}
const isReceipt = (value: unknown) => {
  const { id, timeMs } = Object(value) as Partial<RecordedAct>
  return (value ?? null) === null || (isText(id) && isWhole(timeMs))
}
const FIELDS = {
  version: (value: unknown) => value === 1,
  id: isText,
  who: isText,
  askedMs: isWhole,
  dataset: isText,
  where: isTexts,
  fromMs: orNull(isWhole),
  toMs: orNull(isWhole),
  upTo: isPosition,
  stage: (value: unknown) => ['rows', 'views', 'old versions'].includes(value as string),
  rows: isWhole,
  frozen: isFrozen,
  erasedMs: orNull(isWhole),
  receipt: isReceipt,
}
