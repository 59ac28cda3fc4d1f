import { type Definitions, messagesTable } from '../../schemas/definitions.ts'
import { type Columns, type Message, messageAt, toColumns } from '../../schemas/message.ts'
import { IMPORT_PARTITION, offsetIn, type Position } from '../../schemas/position.ts'
import type { View } from '../../schemas/view.ts'

/** Where a message stands in the log. */
export interface Place {
  readonly partition: number
  readonly offset: number
}

/** What people asked for, and how to know its commits: each sets this txn. */
export interface Amendment {
  readonly dataset: string
  readonly app: string
  /** What becomes of a message by a commit that takes files of these dates away: null when it goes. */
  amend(message: Message, place: Place, dates: ReadonlySet<string>): Message | null
}

/** Messages that expire by a commit: they leave their table, and the cells that they made stay, whatever comes later. */
export interface Expiry {
  readonly dataset: string
  readonly app: string
  /** The definitions that their cells follow. */
  readonly views: readonly View[]
  /** Whether a message of a date that the commit is about expires. */
  expires(message: Message, place: Place, dates: ReadonlySet<string>): boolean
}

/** What a version of the table of messages holds of a block, and what it once held of it and has expired. */
export interface Amended {
  readonly messages: Columns
  readonly expired: readonly { readonly views: readonly View[]; readonly messages: Columns }[]
}

/** Messages of a file that people import, and the txn by which its one commit is known. */
export interface Import {
  readonly dataset: string
  readonly app: string
  readonly messages: Columns
}

/** Imported messages, as a block of their own. */
export type Imported = Place & { readonly messages: Columns }

interface Commit {
  readonly txns: readonly { readonly appId: string; readonly version: number }[]
  readonly dates: ReadonlySet<string>
}

interface Step {
  readonly version: number
  readonly dates: ReadonlySet<string>
  readonly amendment: Amendment | Expiry
}

/** A message as it is, and by what it expired. */
interface Now {
  readonly message: Message
  readonly expiry: Expiry | null
}

/** Objects of the lake, past every fault. */
export interface LakeObjects {
  /** Null when there is none. */
  bytesAt(key: string): Uint8Array | null
}

/**
 * What people changed of the messages: what is asked for is noted before, and from which version of the table on it is so is read off the
 * table's log, of which every commit is seen before it is cleaned up.
 */
export class Amendments {
  readonly #lake: LakeObjects
  readonly #definitions: Definitions
  readonly #asked = new Map<string, Amendment | Expiry>()
  readonly #imports = new Map<string, Import>()
  readonly #commits = new Map<string, Commit[]>()
  #steps: Step[] = []
  #imported: (Imported & { readonly version: number })[] = []

  constructor(lake: LakeObjects, definitions: Definitions) {
    this.#lake = lake
    this.#definitions = definitions
  }

  /** What was so at some versions of the tables of messages, whatever comes after. */
  upTo(tables: { readonly [table: string]: number }): Amendments {
    this.look()
    const kept = new Amendments({ bytesAt: () => null }, this.#definitions)
    for (const [name, commits] of this.#commits)
      kept.#commits.set(name, commits.slice(0, (tables[messagesTable(name)] ?? -1) + 1))
    for (const amendment of this.#asked.values()) kept.note(amendment)
    for (const file of this.#imports.values()) kept.noteImport(file)
    return kept
  }

  note(amendment: Amendment | Expiry): void {
    this.#asked.set(amendment.app, amendment)
    this.#relate()
  }

  noteImport(file: Import): void {
    this.#imports.set(file.app, file)
    this.#relate()
  }

  get any(): boolean {
    return this.#asked.size + this.#imports.size > 0
  }

  /** Reads the commits that are new. */
  look(): void {
    let isNew = false
    for (const { name } of this.#definitions.datasets) {
      const commits = this.#commits.get(name) ?? []
      for (;;) {
        const bytes = this.#lake.bytesAt(commitKey(name, commits.length))
        if (bytes === null) break
        commits.push(parse(bytes))
        isNew = true
      }
      this.#commits.set(name, commits)
    }
    if (isNew) this.#relate()
  }

  /** A power loss took commits back. */
  forgetLost(): void {
    for (const [name, commits] of this.#commits)
      while (commits.length > 0 && this.#lake.bytesAt(commitKey(name, commits.length - 1)) === null)
        commits.pop()
    this.#relate()
  }

  #relate(): void {
    this.#steps = []
    for (const [name, commits] of this.#commits)
      for (const [version, { txns, dates }] of commits.entries())
        for (const { appId, version: count } of txns) {
          const amendment = this.#asked.get(appId)
          // An expiry of none was given up.
          if (amendment?.dataset === name && count > 0) this.#steps.push({ version, dates, amendment })
        }
    this.#imported = [...this.#imports.values()].flatMap((file) => this.#importedIn(file))
  }

  #importedIn({ dataset, app, messages }: Import): (Imported & { readonly version: number })[] {
    const commits = this.#commits.get(dataset) ?? []
    const found = commits.flatMap(({ txns }, version) => {
      if (!txns.some(({ appId }) => appId === app)) return []
      const offset = txns.find(({ appId }) => appId === 'import')!.version
      return [{ version, partition: IMPORT_PARTITION, offset, messages }]
    })
    if (found.length > 1) throw new Error(`${app} was taken ${found.length} times`)
    return found
  }

  /** What a version of the table of messages holds of imports, as they came. */
  imported(dataset: string, version: number): readonly Imported[] {
    return this.#imported.filter((one) => one.messages.form.dataset === dataset && one.version <= version)
  }

  /** The first version that holds what was asked for under this txn; null when there is none. */
  versionOf(app: string): number | null {
    return this.#steps.find(({ amendment }) => amendment.app === app)?.version ?? null
  }

  /** What a version of the table of messages holds, or held, of a block; the block as it came when nothing was changed. */
  apply(messages: Columns, place: Place, version: number): Amended {
    const steps = this.#stepsOf(messages, version)
    if (steps.length === 0) return { messages, expired: [] }
    const all = Array.from({ length: messages.length }, (_, i) => messageAt(messages, i))
    const now = all.map((message) => amend(message, place, steps))
    if (now.every((one, i) => one?.message === all[i] && one?.expiry === null))
      return { messages, expired: [] }
    const definition = this.#definitions.datasets.find(({ name }) => name === messages.form.dataset)!
    const columns = (by: Expiry | null) =>
      toColumns(
        definition,
        now.flatMap((one) => (one?.expiry === by ? one.message : [])),
      )
    const expiries = new Set(now.flatMap((one) => one?.expiry ?? []))
    return {
      messages: columns(null),
      expired: [...expiries].map((by) => ({ views: by.views, messages: columns(by) })),
    }
  }

  /** One message of a block as a version of the table of messages holds it. */
  message(messages: Columns, i: number, place: Place, version: number): Message | null {
    const now = amend(messageAt(messages, i), place, this.#stepsOf(messages, version))
    return now?.expiry === null ? now.message : null
  }

  #stepsOf({ form }: Columns, version: number): readonly Step[] {
    return this.#steps.filter((one) => one.amendment.dataset === form.dataset && one.version <= version)
  }
}

function amend(first: Message, place: Place, steps: readonly Step[]): Now | null {
  let message: Message | null = first
  for (const { amendment, dates } of steps) {
    if (!('expires' in amendment)) message = amendment.amend(message, place, dates)
    else if (amendment.expires(message, place, dates)) return { message, expiry: amendment }
    if (message === null) return null
  }
  return { message, expiry: null }
}

function commitKey(dataset: string, version: number): string {
  return `${messagesTable(dataset)}/_delta_log/${String(version).padStart(20, '0')}.json`
}

function parse(bytes: Uint8Array): Commit {
  const lines = new TextDecoder().decode(bytes).trim().split('\n')
  const actions = lines.map(
    (line) => JSON.parse(line) as { txn?: Commit['txns'][0]; remove?: { path: string } },
  )
  return {
    txns: actions.flatMap(({ txn }) => txn ?? []),
    dates: new Set(actions.flatMap(({ remove }) => /^date=([^/]+)/.exec(remove?.path ?? '')?.[1] ?? [])),
  }
}

/** What an answer says that its batch cells were made of. */
export interface BatchBasis {
  readonly tidemark: Position
  readonly messagesVersion: number | null
}

/** Whether a block stands in batch cells. */
export function isInBatch({ partition, offset }: Place, { tidemark }: BatchBasis): boolean {
  return offset <= offsetIn(tidemark, partition)
}
