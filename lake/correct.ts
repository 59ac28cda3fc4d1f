import type { Dataset } from '../schemas/dataset.ts'
import { isError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import { stringAt, toStringColumn } from '../schemas/string-column.ts'
import { utcDate } from '../schemas/time.ts'
import type { DataFile, Snapshot, Table } from './delta/port.ts'
import { decodeMessages, describeMessages, encodeMessages } from './parquet/messages.ts'
import { type MessageRows, sortRows } from './parquet/order.ts'

/**
 * Corrections: rows of a file replace messages. A message keeps its place in the log, and so it is on the same side of
 * every tidemark as before: until the run that follows has published, answers hold what it was, and then what it is.
 *
 *     rows, by (agent, seq) or by names and time ─▶ the files that hold them ─▶ the same files with other values ─▶ one commit
 *                                                                    txn correct/<sha256 of the file>   made once
 */

/** Rows of one correction, which are in memory. */
export const CORRECTIONS_MAX = 100_000
/** Times that another writer was first. */
const TRIES_MAX = 10

/** What a message is to be. It is named by its agent and number where it has them, else by its names and time. */
export interface Correction {
  /** Its row in the file, from 1. */
  readonly row: number
  /** In the order of `nameColumns`. */
  readonly names: readonly string[]
  readonly timeMs: number
  /** NaN for one that it does not have; null to keep what it has. */
  readonly gauges: readonly (number | null)[]
  /** Undefined to keep what it has. */
  readonly attributes: readonly (string | null | undefined)[]
  readonly agent: string | null
  readonly seq: number | null
}

/** A row that changes nothing, and why. */
export interface RefusedCorrection {
  readonly row: number
  readonly why: string
}

export interface Corrected {
  readonly rows: number
  readonly files: number
  readonly refused: readonly RefusedCorrection[]
}

export interface CorrectDeps {
  readonly dataset: Dataset
  readonly messages: Table
  readonly clock: Clock
  readonly signal: AbortSignal
}

const correctApp = (sha256: string) => `correct/${sha256}`

/** How many messages the file of that content has corrected; null when it was not made. */
export function correctedBy(messages: Snapshot | null, sha256: string): number | null {
  return messages?.txns.get(correctApp(sha256))?.version ?? null
}

/** Makes the corrections of a file, or says only what would come of them. Throws `E_CONFLICT` when others were always first. */
export async function correct(
  corrections: readonly Correction[],
  about: { readonly name: string; readonly sha256: string; readonly isDry: boolean },
  deps: CorrectDeps,
): Promise<Corrected> {
  const { messages, clock } = deps
  for (let tries = 1; ; tries++) {
    const base = await messages.snapshot()
    if (base === null) return { rows: 0, files: 0, refused: corrections.map((one) => refusal(one, NONE)) }
    const { accepted, refused, files } = await match(corrections, base, deps)
    const done = { rows: accepted.size, files: files.length, refused }
    if (about.isDry || accepted.size === 0) return done
    const add: DataFile[] = []
    for (const file of files) add.push(await rewrite(file, accepted, deps))
    const txn = { version: accepted.size, lastUpdatedMs: clock.nowMs() }
    try {
      await messages.commit(base, {
        operation: 'CORRECT',
        add,
        remove: files.map(({ path }) => path),
        dataChange: true,
        txns: { [correctApp(about.sha256)]: txn },
        info: { file: about.name, sha256: about.sha256, rows: accepted.size },
      })
      return done
    } catch (error) {
      if (!isError(error, 'E_CONFLICT') || tries === TRIES_MAX) throw error
    }
  }
}

const NONE = 'names no message'

const refusal = ({ row }: Correction, why: string): RefusedCorrection => ({ row, why })

interface Matched {
  /** Those that name one message, by key. */
  readonly accepted: ReadonlyMap<string, Correction>
  readonly refused: readonly RefusedCorrection[]
  readonly files: readonly DataFile[]
}

async function match(
  corrections: readonly Correction[],
  base: Snapshot,
  { dataset, messages, signal }: CorrectDeps,
): Promise<Matched> {
  const refused: RefusedCorrection[] = []
  const byKey = new Map<string, Correction>()
  for (const one of corrections) {
    const same = byKey.get(keyOf(one))
    if (same === undefined) byKey.set(keyOf(one), one)
    else refused.push(refusal(one, `names the same message as row ${same.row}`))
  }
  /** The messages that each names. */
  const found = new Map<string, { file: DataFile; message: string }[]>()
  for (const file of base.files.values()) {
    if (!mayHold(file, corrections)) continue
    signal.throwIfAborted()
    const rows = await decodeMessages(dataset, await messages.readFile(file))
    for (let i = 0; i < rows.columns.length; i++)
      for (const key of keysAt(rows, i))
        if (byKey.has(key))
          found.set(key, [...(found.get(key) ?? []), { file, message: `${file.path}/${i}` }])
  }
  const accepted = new Map<string, Correction>()
  /** Rows by the message that they correct: it may be named in two ways. */
  const rowOf = new Map<string, number>()
  const files = new Set<DataFile>()
  for (const [key, one] of byKey) {
    const places = found.get(key) ?? []
    const [place] = places
    if (place === undefined) refused.push(refusal(one, NONE))
    else if (places.length > 1) refused.push(refusal(one, `names ${places.length} messages`))
    else if (utcDate(one.timeMs) !== place.file.partition.date)
      refused.push(refusal(one, `would move a message of ${place.file.partition.date} to another date`))
    else if (rowOf.has(place.message))
      refused.push(refusal(one, `names the same message as row ${rowOf.get(place.message)}`))
    else {
      accepted.set(key, one)
      rowOf.set(place.message, one.row)
      files.add(place.file)
    }
  }
  return { accepted, refused: refused.sort((a, b) => a.row - b.row), files: [...files] }
}

/** Whether a file may hold any of the messages: an agent's may be of any time. */
function mayHold({ partition: { date } }: DataFile, corrections: readonly Correction[]): boolean {
  return corrections.some(({ agent, timeMs }) => agent !== null || utcDate(timeMs) === date)
}

function keyOf({ agent, seq, names, timeMs }: Correction): string {
  return agent === null ? nameKey(names, timeMs) : agentKey(agent, seq!)
}

const agentKey = (agent: string, seq: number) => JSON.stringify([agent, seq])
const nameKey = (names: readonly string[], timeMs: number) => JSON.stringify([names, timeMs])

/** The keys by which a message can be named. */
function keysAt({ columns }: MessageRows, i: number): string[] {
  const agent = stringAt(columns.agent, i)
  const names = columns.names.map((column) => stringAt(column, i))
  const byName = nameKey(names, columns.timeMs[i]!)
  return agent === null ? [byName] : [byName, agentKey(agent, columns.seq[i]!)]
}

/** The file with the corrected messages in the place of those that they name. */
async function rewrite(
  file: DataFile,
  accepted: ReadonlyMap<string, Correction>,
  { dataset, messages, signal }: CorrectDeps,
): Promise<DataFile> {
  signal.throwIfAborted()
  const rows = await decodeMessages(dataset, await messages.readFile(file))
  const at: (Correction | undefined)[] = Array.from({ length: rows.columns.length }, (_, i) =>
    keysAt(rows, i)
      .map((key) => accepted.get(key))
      .find((one) => one !== undefined),
  )
  const { columns } = rows
  const corrected = sortRows({
    ...rows,
    columns: {
      ...columns,
      names: columns.names.map((column, c) =>
        toStringColumn(at.map((one, i) => one?.names[c] ?? stringAt(column, i))),
      ),
      timeMs: columns.timeMs.map((timeMs, i) => at[i]?.timeMs ?? timeMs),
      gauges: columns.gauges.map((values, g) => values.map((value, i) => at[i]?.gauges[g] ?? value)),
      attributes: columns.attributes.map((column, a) =>
        toStringColumn(
          at.map((one, i) => {
            const text = one?.attributes[a]
            return text === undefined ? stringAt(column, i) : text
          }),
        ),
      ),
    },
  })
  const about = describeMessages(corrected, file.partition.date!)
  return messages.writeFile(encodeMessages(dataset, corrected), about)
}
