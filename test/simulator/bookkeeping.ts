import { coveredPosition, ticksOf, viewState } from '../../lake/tables.ts'
import { offsetIn, type Position, partitionsOf } from '../../schemas/position.ts'
import { LAKE_DIR } from './site.ts'
import type { World } from './world.ts'

/** What the lake says of itself: positions only grow, ticks form chains, every file that is named is there. */
export class Bookkeeping {
  readonly #world: World
  readonly #highest = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
  }

  async check(): Promise<void> {
    const world = this.#world
    const messages = await world.tables.messages.snapshot()
    const view = await world.tables.view.snapshot()
    const ticks = await world.tables.ticks.snapshot()
    this.#grows('covered', coveredPosition(messages))
    const tidemark = viewState(view)?.tidemark ?? {}
    this.#grows('tidemark', tidemark)
    for (const [app, { version }] of [...(ticks?.txns ?? []), ...(view?.txns ?? [])]) this.#grow(app, version)
    this.#noOverlap(ticksOf(ticks), tidemark)
    const folders = { messages, [world.tables.view.name]: view, [world.tables.ticks.name]: ticks }
    for (const [folder, snapshot] of Object.entries(folders)) {
      if (snapshot === null) continue
      // Who saw a version may rely on it for ever.
      this.#isThere(`${folder}/_delta_log/${String(snapshot.version).padStart(20, '0')}.json`)
      for (const path of snapshot.files.keys()) this.#isThere(`${folder}/${path}`)
    }
    const dates = [...(view?.files.values() ?? [])].map(({ partition }) => partition.date)
    if (new Set(dates).size < dates.length) throw new Error('a date of the view has two files')
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
    const { config, store, disk } = this.#world
    const there = config.lake === 'store' ? store.objects.has(key) : disk.has(`${LAKE_DIR}/${key}`)
    if (!there) throw new Error(`${key} belongs to the newest version and is missing`)
  }
}
