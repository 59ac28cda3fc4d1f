import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { ImportCompression } from '../../../lake/import/columns.ts'
import { zstdFrames } from './zstd-frames.ts'

/** What a file holds, of whatever it is compressed with. */

const READ_BYTES = 1 << 20

export function compressionOf(bytes: Uint8Array): ImportCompression {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip'
  const [first, ...rest] = bytes.subarray(0, 4)
  const isZstd = first === 0x28 && rest[0] === 0xb5 && rest[1] === 0x2f && rest[2] === 0xfd
  // A frame that is skipped may stand before.
  const isSkipped = first! >> 4 === 5 && rest[0] === 0x2a && rest[1] === 0x4d && rest[2] === 0x18
  return isZstd || isSkipped ? 'zstd' : 'none'
}

/** Its content from the first byte to the last. Throws where it was cut off. */
export async function* unpacked(
  path: string,
  compression: ImportCompression,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const reading = { highWaterMark: READ_BYTES, signal }
  if (compression === 'none') yield* createReadStream(path, reading) as AsyncIterable<Buffer>
  else if (compression === 'gzip') yield* through(createReadStream(path, reading), createGunzip())
  else {
    await using file = await open(path)
    for await (const { start, end } of zstdFrames(file))
      yield* through(createReadStream(path, { ...reading, start, end: end - 1 }), createZstdDecompress())
  }
}

async function* through(
  from: NodeJS.ReadableStream,
  unpack: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>,
): AsyncGenerator<Buffer> {
  const reading = pipeline(from, unpack)
  // What is wrong comes out of `unpack` too.
  reading.catch(() => {})
  yield* unpack as AsyncIterable<Buffer>
  await reading
}
