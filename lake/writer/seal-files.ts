import type { Accepted } from '../../log/accepted.ts'
import type { Cells } from '../../schemas/cells.ts'
import type { Dataset } from '../../schemas/dataset.ts'
import { isError } from '../../schemas/errors.ts'
import { misfit } from '../../schemas/message.ts'
import type { FileAbout } from '../delta/port.ts'
import { type ErasedRows, erasedIn } from '../erase/condition.ts'
import { type CellFile, fileOfCells } from '../parquet/cells.ts'
import { decodeMessages, describeMessages, encodeMessages, joinRows } from '../parquet/messages.ts'
import { type MessageRows, orderOf, rowsAt } from '../parquet/order.ts'
import { SealBatch } from './seal-batch.ts'

/** Partitions (dates) that one seal of a dataset touches at most: each is a file. */
export const SEAL_DATES_MAX = 64

/** A data file of a dataset's messages, not yet stored. */
export interface SealFile {
  readonly dataset: string
  readonly bytes: Uint8Array
  readonly about: FileAbout
}

/** A dataset, and the offset up to which its table holds its messages already. */
export interface SealedDataset {
  readonly dataset: Dataset
  readonly after: number
}

/** The files that hold the first `blocks` of the blocks given. */
export interface SealFiles {
  readonly blocks: number
  readonly files: readonly SealFile[]
  /** Blocks among them that fit none of the datasets, and why; they are in no file. */
  readonly refused: readonly { readonly offset: number; readonly reason: string }[]
}

/** What is left of a file, in its order. */
export interface Rewritten {
  /** Rows that it held and should not. */
  readonly erased: number
  /** Null when no row is left, or none was erased. */
  readonly file: SealFile | null
}

/** Makes the files of seals and merges: at once in this thread, or in another (`sealThread`). */
export interface SealEncoder {
  /** `urgent` when sealing has fallen far behind: then it should not let others go first. */
  encode(
    datasets: readonly SealedDataset[],
    blocks: readonly Accepted[],
    urgent?: boolean,
  ): Promise<SealFiles>
  /** One file of the rows of `inputs`, files of a dataset's messages of one date. The inputs are used up. */
  merge(dataset: Dataset, inputs: readonly Uint8Array[], date: string): Promise<SealFile>
  /** The file without some of its rows. The input is used up. */
  without(dataset: Dataset, input: Uint8Array, date: string, rows: ErasedRows): Promise<Rewritten>
  /** A file of what is in any of `parts`, cells of one view: that of a tick. They are used up. */
  encodeCells(parts: readonly Cells[]): Promise<CellFile>
  close(): Promise<void>
}

/** Sorts and encodes as many of `blocks` as the limit of dates allows, at least one; one file a dataset and date. */
export function encodeSeal(datasets: readonly SealedDataset[], blocks: readonly Accepted[]): SealFiles {
  const batches = new Map(
    datasets.map((sealed) => [sealed.dataset.name, { ...sealed, batch: new SealBatch(sealed.dataset) }]),
  )
  const refused: { offset: number; reason: string }[] = []
  const isFull = () => [...batches.values()].some(({ batch }) => batch.dates >= SEAL_DATES_MAX)
  let n = 0
  while (n < blocks.length && (n === 0 || !isFull())) {
    const accepted = blocks[n++]!
    const reason = addTo(batches, accepted)
    if (reason !== null) refused.push({ offset: accepted.block.offset, reason })
  }
  const files = [...batches.values()].flatMap(({ dataset, batch }) =>
    batch.byDate().map(([date, rows]) => fileOf(dataset, rows, date)),
  )
  return { blocks: n, files, refused }
}

/** Adds a block to the batch of its dataset, unless its table has it; why it cannot be, null when it was. */
function addTo(
  batches: ReadonlyMap<string, SealedDataset & { readonly batch: SealBatch }>,
  accepted: Accepted,
): string | null {
  const { block } = accepted
  try {
    const { form } = block.messages
    const found = batches.get(form.dataset)
    if (found === undefined) return `there is no dataset ${form.dataset}`
    const reason = misfit(form, found.dataset)
    if (reason === null && block.offset > found.after) found.batch.add(accepted)
    return reason
  } catch (error) {
    if (isError(error, 'E_COLUMNS')) return error.message
    throw error
  }
}

/** The file that holds the rows of `inputs`, which are files of a dataset's messages of one date. */
export async function mergeFiles(
  dataset: Dataset,
  inputs: readonly Uint8Array[],
  date: string,
): Promise<SealFile> {
  return fileOf(dataset, await rowsOf(dataset, inputs), date, KEPT)
}

/** The rows of all of them; those of each alone are let go before a file is made of all. */
async function rowsOf(dataset: Dataset, inputs: readonly Uint8Array[]): Promise<MessageRows> {
  const parts: MessageRows[] = []
  for (const bytes of inputs) parts.push(await decodeMessages(dataset, bytes))
  return joinRows(parts)
}

/** The file without the rows that are to be erased. */
export async function withoutRows(
  dataset: Dataset,
  input: Uint8Array,
  date: string,
  what: ErasedRows,
): Promise<Rewritten> {
  const rows = await decodeMessages(dataset, input)
  const isErased = erasedIn(rows, what)
  const places = new Uint32Array(rows.columns.length)
  let left = 0
  for (let i = 0; i < places.length; i++) if (!isErased(i)) places[left++] = i
  const erased = places.length - left
  if (erased === 0 || left === 0) return { erased, file: null }
  return { erased, file: fileOf(dataset, rowsAt(rows, places.subarray(0, left)), date, KEPT) }
}

/** For files that stay, and that nobody waits for: a quarter more time makes them a sixth smaller; level 15 a tenth more in twice the time. */
const KEPT = { zstdLevel: 9 }

function fileOf(dataset: Dataset, rows: MessageRows, date: string, options = {}): SealFile {
  return {
    dataset: dataset.name,
    bytes: encodeMessages(dataset, rows, { ...options, order: orderOf(rows) }),
    about: describeMessages(rows, date),
  }
}

/** Encodes in the thread that asks. */
export const encodeHere: SealEncoder = {
  encode: async (datasets, blocks) => encodeSeal(datasets, blocks),
  merge: mergeFiles,
  without: withoutRows,
  encodeCells: async (parts) => fileOfCells(parts),
  close: async () => {},
}
