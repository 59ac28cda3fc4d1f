import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { ImportFile, ImportFormat } from '../../../lake/import/columns.ts'
import { PARQUET, type TextEncoding, textHead, unreadableKind } from '../../../lake/import/text-head.ts'
import { describeError, TidemarkError } from '../../../schemas/errors.ts'
import { hideUser } from '../../../schemas/user-in-url.ts'
import { diskError } from '../../host/disk-error.ts'
import { compressionOf, unpacked } from './unpacked.ts'

/** The files that a folder is searched for. */
const KNOWN = /\.(csv|tsv|ndjson|jsonl|json|lp|parquet)(\.(gz|zst))?$/i
/** Files of other programs' own, like `._history.csv`, and what lies in such folders. */
const HIDDEN = /(^|[/\\])\./
/** Of a file's text, what is looked at to tell what it is. */
const HEAD_BYTES = 256 << 10

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
    if (found === null) throw new TidemarkError('E_USAGE', `there is no file ${hideUser(operand)}`)
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
    .filter((path) => !HIDDEN.test(relative(dir, path)))
    .sort()
  if (paths.length > 0) return paths.map((path) => ({ path, name: relative(dir, path) }))
  throw new TidemarkError(
    'E_USAGE',
    `${operand} has no files that end in csv, tsv, ndjson, jsonl, json, lp or parquet`,
  )
}

/**
 * Looks at a file: its digest, how it is compressed, and how it begins. What is compressed is decompressed to its end: a file that
 * was cut off would be taken for a whole one. Text that is no UTF-8, and Parquet that is compressed as a whole, are written plainly
 * into the folder `scratch`, in the place of the file looked at before. Throws `E_USAGE` for what cannot be read, or decompressed.
 */
export async function lookAt(
  { path, name }: NamedFile,
  format: ImportFormat | null,
  scratch: string,
  signal = new AbortController().signal,
): Promise<ImportFile> {
  try {
    const sha256 = await digestOf(path, signal)
    const compression = compressionOf(await beginning(createReadStream(path, { end: 3 })))
    const content = unpacked(path, compression, signal)
    const first = await beginning(content)
    checkReadable(name, first)
    const isWhole = first.length < HEAD_BYTES
    const head = textHead(first.subarray(0, HEAD_BYTES))
    const known = { name, format, sha256, head, isWhole }
    if (head.encoding === 'utf-8' && (compression === 'none' || !head.text.startsWith(PARQUET))) {
      if (compression !== 'none') for await (const _ of content);
      else await content.return(undefined)
      return { ...known, path, compression }
    }
    const plain = join(scratch, 'plain')
    await writePlain(plain, first, content, head.encoding)
    return { ...known, path: plain, compression: 'none' }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof TidemarkError) throw error
    throw new TidemarkError('E_USAGE', `${name} cannot be read: ${describeError(error)}`, {
      hint: 'write or fetch it again',
      cause: error,
    })
  }
}

/** Throws `E_USAGE` for what is known by its first bytes, and no format that is taken. */
function checkReadable(name: string, head: Uint8Array): void {
  const kind = unreadableKind(head)
  if (kind !== null) throw new TidemarkError('E_USAGE', `${name} is ${kind.what}`, { hint: kind.hint })
}

/** SHA-256 of a whole file, in hexadecimal digits. */
async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  const sha256 = createHash('sha256')
  for await (const bytes of unpacked(path, 'none', signal)) sha256.update(bytes)
  return sha256.digest('hex')
}

/** The first bytes, at least as many as are looked at where there are so many; the rest is still to come. */
async function beginning(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  const coming = bytes[Symbol.asyncIterator]()
  for (let length = 0; length < HEAD_BYTES; ) {
    const { done, value } = await coming.next()
    if (done === true) break
    parts.push(value)
    length += value.length
  }
  return Buffer.concat(parts)
}

/** Text as UTF-8; other bytes as they are. Throws `E_DISK_FULL`. */
async function writePlain(
  path: string,
  first: Buffer,
  rest: AsyncIterable<Buffer>,
  encoding: TextEncoding,
): Promise<void> {
  const decoder = encoding === 'utf-8' ? null : new TextDecoder(encoding)
  async function* parts() {
    const plain = (bytes: Buffer) => (decoder === null ? bytes : decoder.decode(bytes, { stream: true }))
    yield plain(first)
    for await (const bytes of rest) yield plain(bytes)
    yield decoder?.decode() ?? ''
  }
  try {
    await pipeline(parts, createWriteStream(path))
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === 'write' ? diskError(path, error) : error
  }
}
