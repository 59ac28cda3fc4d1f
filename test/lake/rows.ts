import { encodeSeal } from '../../lake/writer/seal-files.ts'
import type { Block } from '../../schemas/block.ts'
import { formOf } from '../../schemas/dataset.ts'
import { host } from '../../schemas/datasets/host.ts'
import type { Columns } from '../../schemas/message.ts'
import { toStringColumn } from '../../schemas/string-column.ts'

export const DATE = '2026-11-24'
const DAY_START_MS = Date.parse(`${DATE}T00:00:00Z`)

/** A block of `rows` messages of 40 hosts, a second apart; every third is unnumbered. */
export function blockOf(offset: number, rows: number): Block {
  const each = <T>(of: (i: number) => T) => Array.from({ length: rows }, (_, i) => of(offset * rows + i))
  const messages: Columns = {
    length: rows,
    form: formOf(host),
    names: [toStringColumn(each((n) => `service-${n % 4}`)), toStringColumn(each((n) => `host-${n % 40}`))],
    attributes: [],
    agent: toStringColumn(each((n) => (n % 3 === 0 ? null : `agent-${n % 40}`))),
    seq: Float64Array.from(each((n) => (n % 3 === 0 ? 0 : n))),
    timeMs: Float64Array.from(each((n) => DAY_START_MS + ((n * 25) % 86_400_000))),
    gauges: [1, 3, 7].map((k) => Float64Array.from(each((n) => (n * k) % 101))),
  }
  return { partition: 0, offset, logTimeMs: DAY_START_MS, messages }
}

/** The bytes of `count` files of `messages` of one date, `rows` rows each. */
export function sealedFiles(count: number, rows: number): Uint8Array[] {
  return Array.from(
    { length: count },
    (_, i) =>
      encodeSeal([{ dataset: host, after: -1 }], [{ block: blockOf(i, rows), rows: null }]).files[0]!.bytes,
  )
}
