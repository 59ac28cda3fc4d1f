import { pipeline, type Readable, type Transform } from 'node:stream'
import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { weightsOf } from './accepted.ts'

/** An answer of fewer bytes is not made smaller: it fits into one packet. */
const BYTES_MIN = 1_024
/** Streams of events must not wait in a compressor, Parquet is compressed already. */
const TYPES = /^(?:application\/(?:json|problem\+json|javascript)|text\/(?!event-stream)|image\/svg)/

/** Levels at which JSON comes out of one core faster than a network of 1 Gbit/s takes it. */
const LEVEL = { gzip: 4, brotli: 3, zstd: 3 } as const

/** What an answer may be compressed by, the best first. */
const ENCODINGS: readonly { readonly name: string; make(): Transform }[] = [
  {
    name: 'zstd',
    make: () => createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: LEVEL.zstd } }),
  },
  {
    name: 'br',
    make: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: LEVEL.brotli } }),
  },
  { name: 'gzip', make: () => createGzip({ level: LEVEL.gzip }) },
]

/** Compresses what is worth it, by what the request accepts, in the threads of zlib and as fast as the connection takes it. */
export function compressAnswers(app: FastifyInstance): void {
  app.addHook('onSend', async ({ method, headers }, reply, payload: unknown) => {
    const type = String(reply.getHeader('content-type') ?? '')
    if (!TYPES.test(type)) return payload
    addVary(reply, 'Accept-Encoding')
    const isWhole = reply.statusCode !== 206 && reply.statusCode !== 304 && method !== 'HEAD'
    if (!isWhole || reply.hasHeader('content-encoding')) return payload
    const encoding = encodingOf(headers['accept-encoding'])
    if (encoding === null || !isWorthIt(payload)) return payload
    const compressor = encoding.make()
    reply.header('content-encoding', encoding.name)
    reply.removeHeader('content-length')
    if (typeof payload === 'string' || payload instanceof Uint8Array) compressor.end(payload)
    // A failure of either destroys the other, and the connection with it: half an answer must not look whole.
    else pipeline(payload as Readable, compressor, () => {})
    return compressor
  })
}

function isWorthIt(payload: unknown): boolean {
  if (typeof payload === 'string' || payload instanceof Uint8Array)
    return Buffer.byteLength(payload) >= BYTES_MIN
  return typeof (payload as Readable | null)?.pipe === 'function'
}

/** The best encoding that `Accept-Encoding` takes (RFC 9110, 12.5.3); null for none. */
export function encodingOf(accepted?: string): (typeof ENCODINGS)[number] | null {
  const weights = weightsOf(accepted)
  const weightOf = (name: string) => weights.get(name) ?? weights.get('*') ?? 0
  const taken = ENCODINGS.filter(({ name }) => weightOf(name) > 0)
  return taken.sort((a, b) => weightOf(b.name) - weightOf(a.name))[0] ?? null
}

/** Adds a header to those by which an answer differs. */
export function addVary(reply: FastifyReply, name: string): void {
  const known = [reply.getHeader('vary') ?? []].flat().join(', ')
  const names = known.toLowerCase().split(', ')
  if (!names.includes(name.toLowerCase())) reply.header('vary', known === '' ? name : `${known}, ${name}`)
}
