import { budgetText, times } from '../budget.ts'
import { ms } from '../measure.ts'
import type { KindMeasured } from './answers.ts'

export const count = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 0 })

/** What is told of one kind of question. */
export function kindText({ kind, times: measured, bytes }: KindMeasured): string {
  const name = kind.name.padEnd(26)
  if (measured === null) return `${name}skipped: there is no such path yet`
  const { up, bare, stored } = measured
  const p99 = kind.p99MsMax === null ? ms(up.p99) : budgetText(up.p99, { atMost: kind.p99MsMax }, ms)
  return `${name}p50 ${fine(up.p50)}, p99 ${p99}; ${count(bytes)} bytes; the bare route ${fine(bare.p50)}, up / it = ${times(up.p50 / bare.p50)}; from SQLite ${fine(stored.p50)}, up / it = ${times(up.p50 / stored.p50)}`
}

const fine = (value: number) => `${value.toFixed(2)} ms`
