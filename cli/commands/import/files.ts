import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { ImportCompression, ImportFile, ImportFormat } from '../../../lake/import/columns.ts'
import { textHead, unreadableKind } from '../../../lake/import/text-head.ts'
import { describeError, TidemarkError } from '../../../schemas/errors.ts'

/** The files that a folder is searched for. */
const KNOWN = /\.(csv|tsv|ndjson|jsonl|json|lp|parquet)(\.(gz|zst))?$/i
/** Of a file's text, what is looked at to tell what it is. */
const HEAD_BYTES = 256 << 10
const READ_BYTES = 1 << 20

/** A file as it was named. */
export interface NamedFile {
  readonly path: string
  readonly name: string
}

/**
 * The files that operands name: a folder stands for those in it and below whose names end as data does, `-` for standard
 * input, which is written to `spool` first. Throws `E_USAGE` for what is not there.
 */
export async function filesOf(
  operands: readonly string[],
  cwd: string,
  spool: string,
  signal: AbortSignal,
): Promise<NamedFile[]> {
  const files: NamedFile[] = []
  for (const operand of operands) {
    if (operand === '-') {
      await pipeline(process.stdin, createWriteStream(spool), { signal })
      files.push({ path: spool, name: 'standard input' })
      continue
    }
    const path = resolve(cwd, operand)
    const found = await stat(path).catch(() => null)
    if (found === null) throw new TidemarkError('E_USAGE', `there is no file ${operand}`)
    if (found.isFile()) files.push({ path, name: basename(path) })
    else if (found.isDirectory()) files.push(...(await filesIn(path, operand)))
    else
      throw new TidemarkError('E_USAGE', `${operand} is a pipe or a device, no file`, {
        hint: 'give - and let it come through standard input',
      })
  }
  return files
}

async function filesIn(dir: string, operand: string): Promise<NamedFile[]> {
  const all = await readdir(dir, { recursive: true, withFileTypes: true })
  if (all.some(({ name }) => name === '_delta_log'))
    throw new TidemarkError(
      'E_USAGE',
      `${operand} holds a Delta table, whose files repeat each other; export it, or name files`,
    )
  const paths = all
    .filter((entry) => entry.isFile() && KNOWN.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
  if (paths.length > 0) return paths.map((path) => ({ path, name: relative(dir, path) }))
  throw new TidemarkError(
    'E_USAGE',
    `${operand} has no files that end in csv, tsv, ndjson, jsonl, json, lp or parquet`,
  )
}

/**
 * Looks at a file: its digest, how it is compressed, and how it begins. What is compressed is decompressed to its end while it is
 * digested: a file that was cut off would be taken for a whole one. Throws `E_USAGE` for what cannot be read, or decompressed.
 */
export async function lookAt(
  { path, name }: NamedFile,
  format: ImportFormat | null,
  signal = new AbortController().signal,
): Promise<ImportFile> {
  try {
    const first = await headOf(createReadStream(path, { end: HEAD_BYTES - 1 }))
    const compression = compressionOf(first)
    const reading = new DigestedFile(path, signal)
    const head = compression === 'none' ? first : await decompressed(reading, compression, signal)
    checkReadable(name, head)
    const isWhole = head.length < HEAD_BYTES
    return { path, name, format, compression, sha256: await reading.digest(), head: textHead(head), isWhole }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof TidemarkError) throw error
    throw new TidemarkError('E_USAGE', `${name} cannot be read: ${describeError(error)}`, { cause: error })
  }
}

/** Throws `E_USAGE` for what is known by its first bytes, and no format that is taken. */
function checkReadable(name: string, head: Uint8Array): void {
  const kind = unreadableKind(head)
  if (kind !== null) throw new TidemarkError('E_USAGE', `${name} is ${kind.what}`, { hint: kind.hint })
}

/** A file that is read once, and digested as it passes. */
class DigestedFile {
  readonly #path: string
  readonly #signal: AbortSignal
  readonly #sha256 = createHash('sha256')
  #bytes = 0

  constructor(path: string, signal: AbortSignal) {
    this.#path = path
    this.#signal = signal
  }

  /** What was not read yet. */
  async *rest(): AsyncGenerator<Buffer> {
    const options = { start: this.#bytes, highWaterMark: READ_BYTES, signal: this.#signal }
    for await (const bytes of createReadStream(this.#path, options) as AsyncIterable<Buffer>) {
      this.#sha256.update(bytes)
      this.#bytes += bytes.length
      yield bytes
    }
  }

  /** SHA-256 of the whole file, in hexadecimal digits: what nobody wanted is read for it. */
  async digest(): Promise<string> {
    for await (const _ of this.rest());
    return this.#sha256.digest('hex')
  }
}

/** Reads `stream` to its end, and keeps how it begins. */
async function headOf(stream: Readable): Promise<Uint8Array> {
  const parts: Buffer[] = []
  let length = 0
  for await (const bytes of stream) {
    if (length < HEAD_BYTES) parts.push(bytes)
    length += bytes.length
  }
  return Buffer.concat(parts).subarray(0, HEAD_BYTES)
}

function compressionOf(bytes: Uint8Array): ImportCompression {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip'
  const isZstd = bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd
  return isZstd ? 'zstd' : 'none'
}

async function decompressed(
  file: DigestedFile,
  compression: 'gzip' | 'zstd',
  signal: AbortSignal,
): Promise<Uint8Array> {
  const unpack = compression === 'gzip' ? createGunzip() : createZstdDecompress()
  const reading = pipeline(file.rest(), unpack, { signal })
  const [head] = await Promise.all([headOf(unpack), reading])
  return head
}
