import { createHash } from 'node:crypto'
import type { Http, HttpAnswer, HttpRequest } from '../../../schemas/ports/http.ts'

/** What a request is, as a fault sees it. */
export interface FakeRequest extends HttpRequest {
  readonly path: string
  readonly query: URLSearchParams
}

/** `answer` in place of the effect; or the effect, and then `error` thrown; or both left out: all is well. */
export interface Fault {
  readonly answer?: { readonly status: number; readonly code?: string }
  /** What is answered in place of what was done. */
  readonly garbled?: (answer: HttpAnswer) => HttpAnswer
  /** Lost: the effect happens, the answer does not arrive. */
  readonly lost?: boolean
  readonly error?: Error
}

/** An S3 bucket in memory behind the HTTP port, which keeps conditions, pages and parts as S3 does. */
export class FakeS3 implements Http {
  readonly objects = new Map<string, Uint8Array>()
  readonly requests: FakeRequest[] = []
  /** Asked before each request. */
  fault: ((request: FakeRequest) => Fault | null) | null = null
  /** Like s3rver: a put overwrites what it wants absent. */
  ignoresConditions = false
  /** Never answers, until the request is given up. */
  silent = false
  pageMax = 1_000
  readonly #uploads = new Map<string, Map<number, Uint8Array>>()

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const url = new URL(request.url)
    const path = decodeURIComponent(url.pathname).replace(/^\/tide\/?/, '')
    const asked = { ...request, path, query: url.searchParams }
    this.requests.push(asked)
    if (this.silent)
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    // As far away as any server: others get their turn before the effect and after it.
    await null
    const fault = this.fault?.(asked) ?? {}
    if (fault.error) throw fault.error
    if (fault.answer) return answer(fault.answer.status, errorXml(fault.answer.code ?? 'InternalError'))
    if (
      createHash('sha256')
        .update(request.body ?? '')
        .digest('hex') !== header(request, 'x-amz-content-sha256')
    )
      return answer(400, errorXml('XAmzContentSHA256Mismatch'))
    if (!/^AWS4-HMAC-SHA256 Credential=key\//.test(header(request, 'authorization') ?? ''))
      return answer(403, errorXml('AccessDenied'))
    const done = this.#do(asked)
    await null
    if (fault.lost) throw new Error('connection reset')
    return fault.garbled?.(done) ?? done
  }

  #do(request: FakeRequest): HttpAnswer {
    const { method, path, query, body } = request
    if (method === 'GET') return query.has('list-type') ? this.#list(query) : this.#get(path, request)
    if (method === 'POST' && query.has('uploads')) {
      const id = `upload-${this.requests.length}`
      this.#uploads.set(id, new Map())
      return answer(200, `<R><UploadId>${id}</UploadId></R>`)
    }
    const uploadId = query.get('uploadId')
    if (uploadId !== null) {
      const parts = this.#uploads.get(uploadId)
      if (parts === undefined) return answer(404, errorXml('NoSuchUpload'))
      if (method === 'PUT') {
        parts.set(Number(query.get('partNumber')), body!.slice())
        return answer(200, '', { etag: etagOf(body!) })
      }
      if (method === 'DELETE') {
        this.#uploads.delete(uploadId)
        return answer(204, '')
      }
      const numbers = [...parts.keys()].sort((a, b) => a - b)
      const done = this.#put(request, Buffer.concat(numbers.map((number) => parts.get(number)!)))
      if (done.status === 200) this.#uploads.delete(uploadId)
      return done
    }
    if (method === 'DELETE') {
      this.objects.delete(path)
      return answer(204, '')
    }
    return this.#put(request, body!.slice())
  }

  get openUploads(): number {
    return this.#uploads.size
  }

  #put(request: FakeRequest, bytes: Uint8Array): HttpAnswer {
    const isConditional = header(request, 'if-none-match') === '*' && !this.ignoresConditions
    if (isConditional && this.objects.has(request.path)) return answer(412, errorXml('PreconditionFailed'))
    this.objects.set(request.path, bytes)
    return answer(200, '', { etag: etagOf(bytes) })
  }

  #get(path: string, request: FakeRequest): HttpAnswer {
    const bytes = this.objects.get(path)
    if (bytes === undefined) return answer(404, errorXml('NoSuchKey'))
    const match = header(request, 'if-match')
    if (match !== null && match !== etagOf(bytes)) return answer(412, errorXml('PreconditionFailed'))
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(header(request, 'range')!)!.map(Number) as [
      0,
      number,
      number,
    ]
    if (from >= bytes.length) return answer(416, errorXml('InvalidRange'))
    const part = bytes.subarray(from, to + 1)
    const range = `bytes ${from}-${from + part.length - 1}/${bytes.length}`
    return { ...answer(206, '', { etag: etagOf(bytes), 'content-range': range }), body: part.slice() }
  }

  #list(query: URLSearchParams): HttpAnswer {
    const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
    const keys = [...this.objects.keys()]
      .filter((key) => key.startsWith(query.get('prefix')!) && key > after)
      .sort()
    const page = keys.slice(0, this.pageMax)
    const entries = page.map((key) => {
      const name = encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+')
      return `<Contents><Key>${name}</Key><LastModified>2026-11-26T10:00:00.000Z</LastModified><Size>${this.objects.get(key)!.length}</Size></Contents>`
    })
    const more = keys.length > page.length
    const next = more
      ? `<NextContinuationToken>${page.at(-1)!.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</NextContinuationToken>`
      : ''
    return answer(
      200,
      `<ListBucketResult xmlns="x"><EncodingType>url</EncodingType><IsTruncated>${more}</IsTruncated>${next}${entries.join('')}</ListBucketResult>`,
    )
  }
}

function answer(status: number, text: string, headers: { readonly [name: string]: string } = {}): HttpAnswer {
  return { status, header: (name) => headers[name] ?? null, body: new TextEncoder().encode(text) }
}

function errorXml(code: string): string {
  return `<Error><Code>${code}</Code><Message>no &amp; no</Message></Error>`
}

function header({ headers }: HttpRequest, name: string): string | null {
  return headers[name] ?? null
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`
}
