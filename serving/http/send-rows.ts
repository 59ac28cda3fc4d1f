import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Pause } from '../../schemas/ports/clock.ts'
import type { CellsAnswer, Whole } from '../answers.ts'
import { type Format, PARQUET_TYPE } from './format.ts'
import { PARQUET_ROWS_MAX, toParquet } from './parquet.ts'
import { presentWhole } from './present.ts'
import { rowsJson } from './rows-json.ts'
import { csvPieces, type Table, tableOfCells } from './table.ts'

/** How rows are sent as a file. */
export interface AsFile {
  readonly format: 'csv' | 'parquet'
  /** Its name without the ending; what no file system takes is replaced. */
  readonly name: string
  /** Whether CSV begins with a byte-order mark. */
  readonly bom: boolean
  /** Lets other work go first between two pieces. */
  readonly pause?: Pause | undefined
}

/** Rows as a named download, which says in the header `tidemark-complete` whether it is whole. Throws as `toParquet`. */
export async function sendTable(
  reply: FastifyReply,
  table: Table,
  { complete }: Pick<Whole, 'complete'>,
  { format, name, bom, pause = async () => {} }: AsFile,
  makeParquet = () => toParquet(table),
): Promise<FastifyReply> {
  const file = `${name.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 100)}.${format}`
  reply
    .header('tidemark-complete', String(complete))
    .header('content-disposition', `attachment; filename="${file}"`)
  if (format === 'parquet') return reply.type(PARQUET_TYPE).send(Buffer.from(await makeParquet()))
  const pieces = Readable.from(paused(csvPieces(table, bom), pause))
  return reply.type('text/csv; charset=utf-8').send(pieces)
}

/** Merged cells as rows in the view's own columns. */
export function sendCells(
  reply: FastifyReply,
  format: Format,
  { cells, ...whole }: CellsAnswer,
  as: Omit<AsFile, 'format'>,
  /** Makes files of many rows. */
  parquet: (cells: CellsAnswer['cells']) => Promise<Uint8Array>,
): Promise<FastifyReply> | FastifyReply {
  if (format === 'json') return sendJson(reply, rowsPieces(cells, whole), as.pause)
  const make = cells.length > PARQUET_ROWS_MAX ? parquet : undefined
  return sendTable(reply, tableOfCells(cells), whole, { ...as, format }, make && (() => make(cells)))
}

/** Pieces of JSON. */
export function sendJson(
  reply: FastifyReply,
  pieces: Iterable<string>,
  pause: Pause = async () => {},
): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(Readable.from(paused(pieces, pause)))
}

async function* paused(pieces: Iterable<string>, pause: Pause): AsyncGenerator<string> {
  for (const piece of pieces) {
    yield piece
    await pause()
  }
}

function* rowsPieces(cells: CellsAnswer['cells'], whole: Whole): Generator<string> {
  yield '{"rows":'
  yield* rowsJson(cells)
  yield `,${JSON.stringify(presentWhole(whole)).slice(1)}`
}
