import type { Clock, Random } from '../schemas/ports/clock.ts'
import type { ObjectStore } from './store/port.ts'
import { putUntilClear } from './store/put-until-clear.ts'

/**
 * What was done to a lake by those who administer it, in small objects that are only added (docs/format/audit.md):
 *
 *     _audit/20261127T014300123Z-9f86d081884c7d65.json     time and a random id
 */

const FOLDER = '_audit/'
const NAME = /^_audit\/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-([0-9a-f]{16})\.json$/
/** Acts that one list gives at most, the newest; older ones are asked for with an earlier end. */
export const ACTS_MAX = 1_000
const READS_AT_ONCE = 16

/** An administrative act. */
export interface Act {
  /** Who asked: a token's id, or the user of the machine where a command was given. */
  readonly who: string
  /** Its kind, like `erase` or `token create`. */
  readonly what: string
  /** What it was about, in names and values of its own. */
  readonly about: { readonly [name: string]: string | number | boolean | null }
  /** Rows that it changed; null where that means nothing. */
  readonly rows: number | null
  /** `done`, `begun`, or why it failed. */
  readonly result: string
}

export interface RecordedAct extends Act {
  readonly id: string
  readonly timeMs: number
}

/** The record of administrative acts. */
export interface Audit {
  /**
   * Adds an act; it is durable when this resolves. `as` names it, so that one that may be there already is not added twice. Throws
   * what the store throws.
   */
  record(act: Act, as?: Place): Promise<RecordedAct>
  /** The acts in `[fromMs, toMs)`, newest first, at most the newest `ACTS_MAX`. One that cannot be read says so as its result. */
  list(fromMs: number, toMs: number): Promise<readonly RecordedAct[]>
}

export interface AuditDeps {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
}

/** The audit of the lake in `store`. */
export function openAudit({ store, clock, random }: AuditDeps): Audit {
  return {
    async record({ who, what, about, rows, result }, as) {
      const act = { ...(as ?? { id: random.hex(8), timeMs: clock.nowMs() }), who, what, about, rows, result }
      await putUntilClear(store, clock, keyOf(act), encodeAct(act))
      return act
    },
    async list(fromMs, toMs) {
      const objects = await store.list(FOLDER, `${FOLDER}${timeName(Math.max(0, fromMs))}`)
      const places = objects.map(({ key }) => placeOf(key)).filter((place) => place !== null)
      const wanted = places.filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs).slice(-ACTS_MAX)
      const acts: RecordedAct[] = []
      for (let i = 0; i < wanted.length; i += READS_AT_ONCE) {
        const read = wanted.slice(i, i + READS_AT_ONCE).map((place) => readAct(store, place))
        acts.push(...(await Promise.all(read)))
      }
      return acts.reverse()
    },
  }
}

type Place = Pick<RecordedAct, 'id' | 'timeMs'>

const keyOf = ({ id, timeMs }: Place) => `${FOLDER}${timeName(timeMs)}-${id}.json`

/** A time as it stands in names, which sort by it. */
const timeName = (timeMs: number) => new Date(timeMs).toISOString().replace(/[-:.]/g, '')

function placeOf(key: string): Place | null {
  const match = NAME.exec(key)
  if (match === null) return null
  const [, year, month, day, hour, minute, second, ms, id] = match
  return { id: id!, timeMs: Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`) }
}

function encodeAct({ id, timeMs, ...act }: RecordedAct): Uint8Array {
  const json = { audit: 1, id, time: new Date(timeMs).toISOString(), ...act }
  return new TextEncoder().encode(`${JSON.stringify(json)}\n`)
}

async function readAct(store: ObjectStore, place: Place): Promise<RecordedAct> {
  const bytes = await store.get(keyOf(place))
  const act = bytes === null ? null : decodeAct(bytes)
  if (act !== null) return { ...place, ...act }
  return { ...place, who: '', what: '', about: {}, rows: null, result: `${keyOf(place)} cannot be read` }
}

/** Null for what is no act. */
function decodeAct(bytes: Uint8Array): Act | null {
  try {
    const fields = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as {
      readonly [name: string]: unknown
    }
    const { audit, who, what, about, rows, result } = fields
    const isAct =
      audit === 1 &&
      [who, what, result].every((text) => typeof text === 'string') &&
      (rows === null || Number.isSafeInteger(rows)) &&
      typeof about === 'object' &&
      about !== null
    return isAct ? ({ who, what, about, rows, result } as Act) : null
  } catch {
    return null
  }
}
