import { describeError, isError } from '../../schemas/errors.ts'
import type { DataFile, Table } from '../delta/port.ts'
import { decodeParquet } from '../parquet/codec.ts'
import { offsetsOf } from './messages.ts'

/** Lowest and highest seq of a numbered sender. */
export interface SeqRange {
  readonly from: number
  readonly to: number
}

/**
 * Which numbers of the senders in `wanted`, within their ranges, other partitions of the log than `partition` hold: a sender goes on
 * elsewhere with what was not acknowledged. A file that cannot be read is said and left out.
 */
export async function sentElsewhere(
  tables: readonly Table[],
  partition: number,
  wanted: ReadonlyMap<string, SeqRange>,
  logLine: (line: string) => void,
): Promise<Map<string, Set<number>>> {
  const found = new Map<string, Set<number>>()
  if (wanted.size === 0) return found
  for (const table of tables) {
    const snapshot = await table.snapshot()
    for (const file of snapshot?.files.values() ?? []) {
      if (!holdsOthers(file, partition)) continue
      try {
        addSent(found, partition, wanted, await read(await table.readFile(file)))
      } catch (error) {
        if (!isError(error, 'E_FILE_DAMAGED')) throw error
        logLine(`lake writer: ${describeError(error)}; what its agents sent twice may count twice`)
      }
    }
  }
  return found
}

function holdsOthers(file: DataFile, partition: number): boolean {
  return Object.keys(offsetsOf(file)).some((one) => Number(one) >= 0 && Number(one) !== partition)
}

const read = (bytes: Uint8Array) => decodeParquet(bytes, ['agent', 'seq', 'partition'])

function addSent(
  found: Map<string, Set<number>>,
  partition: number,
  wanted: ReadonlyMap<string, SeqRange>,
  { agent, seq, partition: of }: Awaited<ReturnType<typeof read>>,
): void {
  agent!.forEach((id, i) => {
    const range = typeof id === 'string' ? wanted.get(id) : undefined
    const number = seq![i] as number
    if (range === undefined || number < range.from || number > range.to || of![i] === partition) return
    const seqs = found.get(id as string)
    if (seqs === undefined) found.set(id as string, new Set([number]))
    else seqs.add(number)
  })
}
