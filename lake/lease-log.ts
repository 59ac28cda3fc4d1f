import { lastBehind } from './store/numbered.ts'
import type { ObjectStore } from './store/port.ts'

/** Folder of the lease's objects. No table has such a name. */
const FOLDER = '_lease/'
const NAME = /^_lease\/(\d{20})\.json$/
/** Lists read before an object that is listed and cannot be read counts as damaged: its successor removes it. */
const LISTS_MAX = 3

/** Entries that stay behind the newest, ten minutes of renewals: a list that lags by less shows one from which the newest is found. */
const KEPT = 30

/** The process that may write to the lake, as one numbered object says. */
export interface LeaseEntry {
  /** The owner's own id, the same after a restart. */
  readonly owner: string
  /** The process, which has one at a time. */
  readonly session: string
  /** What to name: program and process. */
  readonly holder: string
  readonly host: string
  /** When it ends unless it is renewed, by the owner's clock; milliseconds. */
  readonly expiresMs: number
  /** It was given back. */
  readonly released: boolean
}

/** The newest entry; null in place of what cannot be read. */
export interface NewestEntry {
  readonly number: number
  readonly entry: LeaseEntry | null
}

/** Key of the entry of that number; they sort by it. */
export function leaseKey(number: number): string {
  return `${FOLDER}${String(number).padStart(20, '0')}.json`
}

export function encodeEntry({ expiresMs, ...entry }: LeaseEntry, id: string): Uint8Array {
  const json = { lease: 1, ...entry, expires: new Date(expiresMs).toISOString(), id }
  return new TextEncoder().encode(`${JSON.stringify(json)}\n`)
}

/** Null for what is no entry. */
export function decodeEntry(bytes: Uint8Array): LeaseEntry | null {
  try {
    const fields = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as {
      readonly [name: string]: unknown
    }
    const { lease, owner, session, holder, host, expires, released } = fields
    const expiresMs = Date.parse(String(expires))
    const texts = [owner, session, holder, host]
    if (lease !== 1 || Number.isNaN(expiresMs) || typeof released !== 'boolean') return null
    if (texts.some((text) => typeof text !== 'string')) return null
    const [a, b, c, d] = texts as [string, string, string, string]
    return { owner: a, session: b, holder: c, host: d, expiresMs, released }
  } catch {
    return null
  }
}

/**
 * The entry with the highest number; null before the first. A list may lag behind: what follows the last that it shows, or
 * `known`, is asked for by name.
 */
export async function newestEntry(store: ObjectStore, known = 0): Promise<NewestEntry | null> {
  for (let lists = 1; ; lists++) {
    const listed = Math.max(known, (await numbers(store)).at(-1) ?? 0)
    const own = listed === 0 ? null : await store.get(leaseKey(listed))
    const { number, bytes } = (await lastBehind(store, leaseKey, listed)) ?? { number: listed, bytes: own }
    if (number === 0) return null
    if (bytes !== null) return { number, entry: decodeEntry(bytes) }
    if (lists === LISTS_MAX) return { number, entry: null }
  }
}

/** Removes the entries long before `number`, which must be in the store. */
export async function dropEntriesBefore(store: ObjectStore, number: number): Promise<void> {
  for (const old of await numbers(store)) if (old < number - KEPT) await store.delete(leaseKey(old))
}

/** Ascending. */
async function numbers(store: ObjectStore): Promise<number[]> {
  const listed = await store.list(FOLDER)
  return listed.flatMap(({ key }) => {
    const match = NAME.exec(key)
    return match ? [Number(match[1])] : []
  })
}
