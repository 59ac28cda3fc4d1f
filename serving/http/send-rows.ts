import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Pause } from '../../schemas/ports/clock.ts'
import type { Answers, CellsAnswer, Whole } from '../answers.ts'
import { type Format, PARQUET_TYPE } from './format.ts'
import { PARQUET_ROWS_MAX, toParquet } from './parquet.ts'
import { presentWhole } from './present.ts'
import { rowsJson } from './rows-json.ts'
import { csvPieces, partsOf, type Table, tableOfCells } from './table.ts'

/** How rows are sent as a file. */
export interface AsFile {
  readonly format: 'csv' | 'parquet'
  /** Its name without the ending; what no file system takes is replaced. */
  readonly name: string
  /** Whether CSV begins with a byte-order mark. */
  readonly bom: boolean
  /** Lets other work go first between two pieces. */
  readonly pause?: Pause | undefined
  /** Makes Parquet of many rows. */
  readonly parquet: Answers['parquet']
}

/** Rows as a named download, which says in the header `tidemark-complete` whether it is whole. */
export async function sendTable(
  reply: FastifyReply,
  table: Table,
  { complete }: Pick<Whole, 'complete'>,
  { format, name, bom, pause = async () => {}, parquet }: AsFile,
): Promise<FastifyReply> {
  const file = `${name.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 100)}.${format}`
  reply
    .header('tidemark-complete', String(complete))
    .header('content-disposition', `attachment; filename="${file}"`)
  if (format === 'parquet') {
    reply.type(PARQUET_TYPE)
    if (table.length <= PARQUET_ROWS_MAX) return reply.send(Buffer.from(await toParquet(table)))
    return reply.send(Readable.from(parquet(table.columns, partsOf(table))))
  }
  const pieces = Readable.from(paused(csvPieces(table, bom), pause))
  return reply.type('text/csv; charset=utf-8').send(pieces)
}

/** Merged cells as rows in the view's own columns. */
export function sendCells(
  reply: FastifyReply,
  format: Format,
  { cells, ...whole }: CellsAnswer,
  as: Omit<AsFile, 'format'>,
): Promise<FastifyReply> | FastifyReply {
  if (format === 'json') return sendJson(reply, rowsPieces(cells, whole), as.pause)
  return sendTable(reply, tableOfCells(cells), whole, { ...as, format })
}

/** Pieces of JSON. */
function sendJson(
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
