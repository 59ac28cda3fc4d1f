import { isError, TidemarkError } from '../../../schemas/errors.ts'
import type { HttpAnswer } from '../../../schemas/ports/http.ts'
import type { LocalCopies } from '../local-copies.ts'
import type { ObjectStore, StoredObject } from '../port.ts'
import { putParts } from './multipart.ts'
import { type BucketPlace, encodeKey, isKey } from './place.ts'
import type { Requests, Sent } from './requests.ts'
import { parsePage } from './responses.ts'

/** A larger object is put and got in parts of this size. */
export const PART_BYTES = 16 << 20
/** How often an object is read from its beginning because another took its place meanwhile. */
const READS_MAX = 5
const CHANGED = Symbol('another object took its place')

const IF_ABSENT = { 'if-none-match': '*' }

/**
 * An object store in an S3 bucket. Requests of one call:
 *
 *     get              1 GET; 1 more for each 16 MiB
 *     has              1 GET, of one byte
 *     put, if absent   1 PUT; above 16 MiB a multipart upload: 2 and 1 a part
 *     list             1 LIST for each 1,000 objects
 *     delete           1 DELETE
 *
 * An unclear put is sent again with the same bytes. Is the object there by then, it is read back: a writer that has put these
 * bytes, which no other writer has, was this one.
 */
export class S3Store implements ObjectStore {
  readonly #requests: Requests
  readonly #bucket: string
  readonly #prefix: string
  readonly #copies: LocalCopies | null

  constructor(requests: Requests, { bucket, prefix }: BucketPlace, copies: LocalCopies | null) {
    this.#requests = requests
    this.#bucket = bucket
    this.#prefix = prefix
    this.#copies = copies
  }

  async get(key: string): Promise<Uint8Array | null> {
    for (let tries = 0; tries < READS_MAX; tries++) {
      const read = await this.#readWhole(key)
      if (read !== CHANGED) return read
    }
    throw new TidemarkError('E_STORE', `${named(key)} changes again and again while it is read`)
  }

  async #readWhole(key: string): Promise<Uint8Array | null | typeof CHANGED> {
    const parts: Uint8Array[] = []
    let etag: string | null = null
    for (let from = 0, total = 1; from < total; ) {
      const range = { range: `bytes=${from}-${from + PART_BYTES - 1}` }
      const { answer } = await this.#read(key, {
        operation: 'get',
        method: 'GET',
        path: this.#path(key),
        headers: { ...range, ...(etag !== null && { 'if-match': etag }) },
        answerBytes: PART_BYTES,
      })
      if (answer.status === 404) return null
      // No byte of an empty object is in any range.
      if (answer.status === 416 && from === 0) return new Uint8Array()
      if (answer.status === 412 || answer.status === 416) return CHANGED
      total = totalOf(answer, from, key)
      parts.push(answer.body)
      from += answer.body.length
      etag = answer.header('etag')
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  async has(key: string): Promise<boolean> {
    const { answer } = await this.#read(key, {
      operation: 'get',
      method: 'GET',
      path: this.#path(key),
      headers: { range: 'bytes=0-0' },
      answerBytes: 1,
    })
    return answer.status !== 404
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#put(key, bytes, {})
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    const { answer, unclear } = await this.#put(key, bytes, IF_ABSENT)
    if (answer.status !== 412) return true
    return unclear && this.#isStored(key, bytes)
  }

  async #put(key: string, bytes: Uint8Array, headers: { [name: string]: string }): Promise<Sent> {
    const path = this.#path(key)
    const sent =
      bytes.length > PART_BYTES
        ? await putParts(this.#requests, { path, what: named(key), bytes, headers, partBytes: PART_BYTES })
        : await this.#requests.send(named(key), {
            operation: 'put',
            method: 'PUT',
            path,
            headers,
            body: bytes,
          })
    const { status } = sent.answer
    // A store says what it stored; what else answers 200 is no S3.
    const isPut = status === 412 || bytes.length > PART_BYTES || sent.answer.header('etag') !== null
    if (status === 404 || status === 416 || !isPut)
      throw new TidemarkError('E_STORE_AMBIGUOUS', `${named(key)}: HTTP ${status}`)
    return sent
  }

  /** Whether the object, whose put had no clear answer, is made of these bytes. */
  async #isStored(key: string, bytes: Uint8Array): Promise<boolean> {
    let found: Uint8Array | null
    try {
      found = await this.get(key)
    } catch (error) {
      throw new TidemarkError('E_STORE_AMBIGUOUS', `${named(key)} cannot be read back`, { cause: error })
    }
    if (found === null) throw new TidemarkError('E_STORE_AMBIGUOUS', `${named(key)} was there and is gone`)
    return Buffer.compare(found, bytes) === 0
  }

  async list(prefix: string, after = ''): Promise<StoredObject[]> {
    const found: StoredObject[] = []
    for (let token: string | null = null, first = true; first || token !== null; first = false) {
      const { answer }: Sent = await this.#read(prefix, {
        operation: 'list',
        method: 'GET',
        path: '',
        query: {
          'list-type': '2',
          'encoding-type': 'url',
          prefix: this.#prefix + prefix,
          ...(token !== null
            ? { 'continuation-token': token }
            : after && { 'start-after': this.#prefix + after }),
        },
      })
      if (answer.status !== 200) throw new TidemarkError('E_STORE', `list ${prefix}: HTTP ${answer.status}`)
      const page = parsePage(answer, this.#prefix)
      if (token !== null && page.next === token)
        throw new TidemarkError('E_STORE', `list ${prefix}: it does not go on`)
      found.push(...page.objects.filter(({ key }) => key > after && key.startsWith(prefix)))
      token = page.next
    }
    return found.sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  async delete(key: string): Promise<void> {
    await this.#requests.send(named(key), { operation: 'delete', method: 'DELETE', path: this.#path(key) })
    await this.#copies?.forget(key)
  }

  url(key: string): string {
    return `s3://${this.#bucket}/${this.#prefix}${key}`
  }

  localCopy(key: string, check: (bytes: Uint8Array | null) => Uint8Array): Promise<string> {
    if (this.#copies === null) throw new TidemarkError('E_STORE', 'this store keeps no local files')
    return this.#copies.path(key, check, () => this.get(key))
  }

  /** A read has no effect that could be unclear. */
  async #read(key: string, request: Parameters<Requests['send']>[1]): Promise<Sent> {
    try {
      return await this.#requests.send(named(key), request)
    } catch (error) {
      if (!isError(error, 'E_STORE_AMBIGUOUS')) throw error
      throw new TidemarkError('E_STORE', error.message, { cause: error })
    }
  }

  #path(key: string): string {
    // Other programs mark a folder by an empty object.
    if (!isKey(key.replace(/\/$/, '')))
      throw new TidemarkError('E_STORE', `${JSON.stringify(key)} cannot be the key of an object`)
    return encodeKey(this.#prefix + key)
  }
}

function named(key: string): string {
  return `object ${JSON.stringify(key)}`
}

/** The whole size in `bytes 0-9/100`. Throws `E_STORE` where the answer is not the range from `from` on that it says to be. */
function totalOf({ status, header, body }: HttpAnswer, from: number, key: string): number {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header('content-range') ?? '') ?? []
  const isRange = status === 206 && Number(first) === from && Number(last) === from + body.length - 1
  if (!isRange || body.length === 0)
    throw new TidemarkError('E_STORE', `${named(key)}: HTTP ${status} is not the range that was asked for`)
  return Number(total)
}
