import { version as duckdbVersion } from '@duckdb/node-api'
import { budgetText, times } from '../budget.ts'
import { machine, mib, ms } from '../measure.ts'
import type { Throughput } from './answers.ts'
import type { Arrived } from './beside.ts'
import { count, kindText } from './kind-text.ts'
import { MANY_SERVICES } from './questions.ts'
import type { Serving } from './serving.ts'

const REQUESTS_PER_SECOND = { atLeast: 3_000 }
const SLOWEST_MS = { atMost: 50 }
const BYTES_A_CELL = { atMost: 110 }
const ANEW_MS = { atMost: 3_000 }
const MANY_INDEX_GIB = { atMost: 5 }
const MANY_START_MS = { atMost: 5_000 }

/** What the benchmark prints. */
export function servingText(result: Serving): string {
  const { size, cells, kinds, throughput, startMs, indexBytes, published, beside, residentMib, hashes } =
    result
  const gib = (value: number) => `${value.toFixed(2)} GiB`
  const many = size.services >= MANY_SERVICES
  const indexText = (bytes: number) => {
    const size = many ? budgetText(bytes / 2 ** 30, MANY_INDEX_GIB, gib) : mib(bytes / 2 ** 20)
    return `${size}, ${budgetText(bytes / cells, BYTES_A_CELL, count)} bytes a cell`
  }
  const lines = [
    ...kinds.map(kindText),
    `1 h stats, 8 connections  ${throughputText(throughput.up)}; budget: ${budgetText(throughput.up.perSecond, REQUESTS_PER_SECOND, count)}`,
    `  the bare route          ${throughputText(throughput.bare)}; up / it = ${times(throughput.up.perSecond / throughput.bare.perSecond)}`,
    `  read from SQLite        ${throughputText(throughput.stored)}; up / it = ${times(throughput.up.perSecond / throughput.stored.perSecond)}`,
    `while ${published.full ? 'a full version is   ' : 'a date more is      '}computed (${ms(published.runMs)}), published and loaded (${ms(published.loadedMs)} in all), ${published.queries} stats of 24 h`,
    `  the slowest             ${budgetText(published.slowestMs, SLOWEST_MS, ms)}; of /healthz ${ms(published.slowestHealthMs)}`,
    ...(beside === null ? [] : [arrivedText(beside.arrived), ...beside.kinds.map(kindText)]),
    `index, made anew          ${indexText(indexBytes.anew)}; while up ${mib(indexBytes.up / 2 ** 20)}`,
    `  a version replaced it   ${indexText(indexBytes.replaced)}`,
    `start to a whole answer   ${many ? budgetText(startMs.there, MANY_START_MS, ms) : ms(startMs.there)} with the index there, ${ms(startMs.anew)} without`,
    `  the index made anew     ${many ? ms(startMs.anew - startMs.there) : budgetText(startMs.anew - startMs.there, ANEW_MS, ms)}`,
    `resident memory           ${mib(residentMib.started)} when started, at most ${mib(residentMib.peak)}`,
    `hashes                    ${Object.entries(hashes)
      .map(([name, hash]) => `${name} ${hash}`)
      .join(', ')}`,
  ]
  return `serving of ${size.services} services × ${size.days} days, a message a minute: ${count(cells)} cells, on ${machine()}, DuckDB ${duckdbVersion()}, ${size.each} questions of each kind
${lines.map((line) => `  ${line}`).join('\n')}`
}

function arrivedText({ rate, perSecond, ackMs }: Arrived): string {
  const taken = `${count(perSecond.median)} acknowledged in the median second, ${count(perSecond.least)} in the slowest, p99 ${ms(ackMs)}`
  return `while ${count(rate)} messages/s are sent: ${taken}`
}

function throughputText({ perSecond, cores }: Throughput): string {
  return `${count(perSecond)} requests/s with ${cores.toFixed(2)} cores`
}
