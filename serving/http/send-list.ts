import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Pause } from '../../schemas/ports/clock.ts'

/** Rows written at once. */
const ROWS_AT_ONCE = 128

/** A list as it is answered. */
export interface SentList<T> {
  /** What its rows are called. */
  readonly named: string
  readonly rows: readonly T[] | AsyncIterable<readonly T[]>
  present(row: T): object
  /** What else the answer says; asked when all rows are written. */
  about(): object
}

/** Answers with `{"<named>": [rows…], …about}`, written in parts between which other work goes first. */
export function sendList<T>(
  reply: FastifyReply,
  list: SentList<T>,
  pause: Pause = async () => {},
): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(Readable.from(parts(list, pause)))
}

async function* parts<T>({ named, rows, present, about }: SentList<T>, pause: Pause): AsyncGenerator<string> {
  yield `{${JSON.stringify(named)}:[`
  let comma = ''
  for await (const some of Array.isArray(rows)
    ? slices(rows, pause)
    : (rows as AsyncIterable<readonly T[]>)) {
    if (some.length === 0) continue
    yield comma + some.map((row) => JSON.stringify(present(row))).join(',')
    comma = ','
  }
  yield `],${JSON.stringify(about()).slice(1)}`
}

async function* slices<T>(rows: readonly T[], pause: Pause): AsyncGenerator<readonly T[]> {
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    yield rows.slice(from, from + ROWS_AT_ONCE)
    await pause()
  }
}
