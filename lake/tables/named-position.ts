import { isError } from '../../schemas/errors.ts'
import { BEGINNING, type Position, partitionsOf } from '../../schemas/position.ts'
import type { Snapshot, Table } from '../delta/port.ts'
import { sealApp } from './messages.ts'
import { viewState } from './published.ts'

/** The tables whose commits name offsets of the log. */
export interface NamingTables {
  /** Of every dataset. */
  readonly messages: readonly Table[]
  /** Of every view. */
  readonly views: readonly { readonly published: Table; readonly ticks: Table }[]
}

/** What the lake names of the log, as it was when it was last looked at. */
export interface NamedPosition {
  readonly position: Position
  /**
   * Takes the next version of all messages and ticks, where they exist, with a commit that changes nothing, and looks again. A
   * commit is made by the first process that puts a version: what a process that is dead put before, and its store has not yet done,
   * comes too late for good.
   */
  fence(): Promise<Position>
}

/** Looks at every table. */
export async function readNamedPosition({ messages, views }: NamingTables): Promise<NamedPosition> {
  const written = [...messages, ...views.map(({ ticks }) => ticks)]
  const all = [...written, ...views.map(({ published }) => published)]
  const look = async () => namedPosition(...(await Promise.all(all.map((table) => table.snapshot()))))
  let position = await look()
  return {
    get position() {
      return position
    },
    async fence() {
      for (const table of written) {
        const base = await table.snapshot()
        if (base !== null) await table.commit(base, { operation: 'FENCE', dataChange: false })
      }
      position = await look()
      return position
    },
  }
}

/** Tries to commit beside others that commit. */
const TRIES_MAX = 10

/**
 * Names partitions of a log in the lake before anything of them is acknowledged: a process that finds the lake without that log knows
 * that it may have held blocks which nobody sealed. A partition that is named already stays as it is.
 */
export async function namePartitions(
  messages: Table,
  partitions: readonly number[],
  nowMs: number,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const base = (await messages.snapshot()) as Snapshot
    const unnamed = partitions.filter((partition) => !base.txns.has(sealApp(partition)))
    if (unnamed.length === 0) return
    const begun = { version: BEGINNING, lastUpdatedMs: nowMs }
    const txns = Object.fromEntries(unnamed.map((partition) => [sealApp(partition), begun]))
    try {
      await messages.commit(base, { operation: 'BEGIN PARTITION', dataChange: false, txns })
      return
    } catch (error) {
      // Somebody else named it, or committed something else: it is looked at again.
      if (!isError(error, 'E_CONFLICT') || tries === TRIES_MAX) throw error
    }
  }
}

/** Highest position per partition that anything in the lake names: a log must not begin below it. */
export function namedPosition(...snapshots: (Snapshot | null)[]): Position {
  const named: { [partition: number]: number } = {}
  const raise = (partition: number, offset: number) => {
    named[partition] = Math.max(named[partition] ?? -1, offset)
  }
  for (const snapshot of snapshots) {
    for (const [app, txn] of snapshot?.txns ?? []) {
      if (app.startsWith('seal/') || app.startsWith('tick/'))
        raise(Number(app.split('/').at(-1)), txn.version)
    }
    const tidemark = viewState(snapshot)?.tidemark ?? {}
    for (const partition of partitionsOf(tidemark)) raise(partition, tidemark[partition]!)
  }
  return named
}
