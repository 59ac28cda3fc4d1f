import type { Snapshot, Table } from '../../lake/delta/port.ts'
import { coveredPosition } from '../../lake/tables/messages.ts'
import { viewState } from '../../lake/tables/published.ts'
import { ticksOf } from '../../lake/tables/ticks.ts'
import { offsetIn, type Position, partitionsOf } from '../../schemas/position.ts'
import type { World } from './world.ts'

function commitKey({ name }: Table, { version }: Snapshot): string {
  return `${name}/_delta_log/${String(version).padStart(20, '0')}.json`
}

/** What the lake says of itself: positions only grow, ticks form chains, every file that is named is there. */
export class Bookkeeping {
  readonly #world: World
  readonly #highest = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
  }

  async check(): Promise<void> {
    for (const { messages, views } of this.#world.tables.all.datasets) {
      const rows = await messages.snapshot()
      if (this.#stays(messages, rows)) this.#grows(`${messages.name} covered`, coveredPosition(rows))
      this.#checkTable(messages, rows, false)
      for (const { published, ticks, frozen } of views) {
        await this.#checkView(published, ticks)
        if (this.#world.oracle.amendments !== null) this.#checkTable(frozen, await frozen.snapshot(), true)
      }
    }
  }

  async #checkView(published: Table, ticks: Table): Promise<void> {
    const view = await published.snapshot()
    const committed = await ticks.snapshot()
    const state = viewState(view)
    const tidemark = state?.tidemark ?? {}
    if (this.#stays(published, view)) {
      this.#grows(`${published.name} tidemark`, tidemark)
      // However many schedulers there are, none publishes what another had computed of more.
      this.#grow(`version of the messages in ${published.name}`, state?.messagesVersion ?? -1)
    }
    this.#noOverlap(ticksOf(committed), tidemark)
    this.#checkTable(published, view, true)
    this.#checkTable(ticks, committed, true)
    const dates = [...(view?.files.values() ?? [])].map(({ partition }) => partition.date)
    if (new Set(dates).size < dates.length) throw new Error(`a date of ${published.name} has two files`)
  }

  #checkTable(table: Table, snapshot: Snapshot | null, counters: boolean): void {
    const stays = this.#stays(table, snapshot)
    if (stays) this.#grow(`version of ${table.name}`, snapshot?.version ?? -1)
    if (snapshot === null) return
    if (stays && counters) for (const [app, { version }] of snapshot.txns) this.#grow(app, version)
    // Who saw a version may rely on it for ever.
    this.#isThere(commitKey(table, snapshot))
    for (const path of snapshot.files.keys()) this.#isThere(`${table.name}/${path}`)
  }

  /** Whether no power loss may take this version back: until its name is durable one may. */
  #stays(table: Table, snapshot: Snapshot | null): boolean {
    return snapshot === null || this.#world.stays(commitKey(table, snapshot))
  }

  #grows(what: string, position: Position): void {
    for (const partition of partitionsOf(position))
      this.#grow(`${what} ${partition}`, offsetIn(position, partition))
  }

  #grow(what: string, value: number): void {
    const before = this.#highest.get(what) ?? Number.NEGATIVE_INFINITY
    if (value < before) throw new Error(`${what} went back from ${before} to ${value}`)
    this.#highest.set(what, value)
  }

  #noOverlap(ticks: ReturnType<typeof ticksOf>, tidemark: Position): void {
    const ends = new Map<string, number>()
    for (const { hash, partition, from, to } of ticks) {
      if (from < offsetIn(tidemark, partition)) continue
      const chain = `${hash}/${partition}`
      if (from < (ends.get(chain) ?? -1)) throw new Error(`ticks of ${chain} overlap before ${to}`)
      ends.set(chain, to)
    }
  }

  /** Looked at whenever a version names it: a file that was there may go too early. */
  #isThere(key: string): void {
    if (!this.#world.holds(key)) throw new Error(`${key} belongs to the newest version and is missing`)
  }
}
