import { createHash } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import { describeError, isError, TidemarkError } from '../../../schemas/errors.ts'
import { type Clock, type Random, sleep } from '../../../schemas/ports/clock.ts'
import type { Http, HttpAnswer } from '../../../schemas/ports/http.ts'
import { noRequests, type Operation } from './counts.ts'
import type { CredentialSource } from './credentials.ts'
import { encodePart } from './place.ts'
import { describeAnswer, errorCode } from './responses.ts'

/**
 * Signed requests to one bucket, sent again when they were refused for now or had no answer:
 *
 *     2xx, 404, 412, 416 ────────▶ the answer
 *     2xx with an error in it ───▶ as 5xx
 *     409, 429, not connected ───▶ again: it had no effect
 *     5xx, no answer in time ────▶ again: what it did is unclear
 *     403 ───────────────────────▶ once more with new credentials
 *     anything else ─────────────▶ E_STORE, or E_STORE_AMBIGUOUS where a request before was unclear
 */

/** Requests of one call. The waits between them, doubling from the first, sum to at most 3 s. */
const REQUESTS_MAX = 5
const WAIT_MS = 200
/** A request without a body takes no longer; one with a body so much more for each byte, at 1 MiB/s. */
const REQUEST_MS_MAX = 10_000
const BODY_BYTES_PER_MS = (1 << 20) / 1_000

const ANSWERS = new Set([404, 412, 416])
const WITHOUT_EFFECT = new Set([409, 429])

export interface RequestDeps {
  readonly http: Http
  readonly clock: Clock
  readonly random: Random
  readonly credentials: CredentialSource
  readonly region: string
  /** URL of the bucket. */
  readonly url: string
}

export interface S3Request {
  readonly operation: Operation
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Encoded, without a slash in front; empty for the bucket itself. */
  readonly path: string
  readonly query?: { readonly [name: string]: string }
  readonly headers?: { readonly [name: string]: string }
  readonly body?: Uint8Array
  /** Bytes of the answer at most, for its time limit. */
  readonly answerBytes?: number
  /** 1: it is sent once. */
  readonly requestsMax?: number
}

export interface Sent {
  readonly answer: HttpAnswer
  /** A request before the one that was answered may have had its effect, or have it later. */
  readonly unclear: boolean
}

export class Requests {
  readonly counts = noRequests()
  readonly #deps: RequestDeps

  constructor(deps: RequestDeps) {
    this.#deps = deps
  }

  /** See above. `what` names the object in the error. */
  async send(what: string, request: S3Request): Promise<Sent> {
    const { credentials, clock, random } = this.#deps
    const requestsMax = request.requestsMax ?? REQUESTS_MAX
    let unclear = false
    let isRenewed = false
    for (let requests = 1; ; requests++) {
      let reason: string
      try {
        const answer = await this.#sendOnce(request, requests > 1)
        const { status } = answer
        const isGood = status >= 200 && status < 300
        // What an object holds is none of S3's words.
        const code = isGood && request.operation === 'get' ? null : errorCode(answer)
        if ((isGood && code === null) || (ANSWERS.has(status) && code !== 'NoSuchBucket'))
          return { answer, unclear }
        reason = describeAnswer(answer)
        if (code === 'NoSuchBucket') throw refusal(what, reason, unclear)
        if ((status === 403 || status === 401) && !isRenewed && credentials.renew()) {
          isRenewed = true
          continue
        }
        const isSlow = status === 408 || code === 'RequestTimeout'
        if (isGood || status >= 500 || isSlow) unclear = true
        else if (!WITHOUT_EFFECT.has(status)) throw refusal(what, reason, unclear)
      } catch (error) {
        if (isError(error, 'E_STORE') || isError(error, 'E_STORE_AMBIGUOUS')) throw error
        reason = describeError(error)
        if (!isError(error, 'E_CONNECT')) unclear = true
      }
      if (requests >= requestsMax) throw refusal(what, `${reason}, ${requests} times`, unclear)
      await sleep(clock, WAIT_MS * 2 ** (requests - 1) * (0.5 + random.float() / 2))
    }
  }

  async #sendOnce(request: S3Request, isRepeat: boolean): Promise<HttpAnswer> {
    const { http, clock } = this.#deps
    const body = request.body ?? null
    const signed = await this.#sign(request, body)
    const counts = this.counts[request.operation]
    counts.requests += 1
    if (isRepeat) counts.repeats += 1
    counts.bytesSent += body?.length ?? 0
    const aborter = new AbortController()
    const bytes = (body?.length ?? 0) + (request.answerBytes ?? 0)
    const limitMs = Math.ceil(REQUEST_MS_MAX + bytes / BODY_BYTES_PER_MS)
    const cancel = clock.after(limitMs, () => aborter.abort(new Error(`no answer within ${limitMs} ms`)))
    try {
      const answer = await http.send({ ...signed, body }, aborter.signal)
      counts.bytesReceived += answer.body.length
      return answer
    } catch (error) {
      if (aborter.signal.aborted) throw aborter.signal.reason
      throw error
    } finally {
      cancel()
    }
  }

  async #sign({ method, path, query, headers }: S3Request, body: Uint8Array | null) {
    const { clock, credentials, region, url } = this.#deps
    const pairs = Object.entries(query ?? {}).map(
      ([name, value]) => `${encodePart(name)}=${encodePart(value)}`,
    )
    const { accessKey, secretKey, sessionToken } = await credentials.get()
    const signer = new AwsV4Signer({
      method,
      url: `${url}${path === '' ? '' : `/${path}`}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`,
      headers: {
        ...headers,
        // The store then refuses a body that was changed on its way.
        'x-amz-content-sha256': createHash('sha256')
          .update(body ?? new Uint8Array())
          .digest('hex'),
      },
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      ...(sessionToken !== null && { sessionToken }),
      service: 's3',
      region,
      datetime: new Date(clock.nowMs()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    })
    const signed = await signer.sign()
    return { method, url: signed.url.toString(), headers: Object.fromEntries(signed.headers) }
  }
}

function refusal(what: string, reason: string, unclear: boolean): TidemarkError {
  return new TidemarkError(unclear ? 'E_STORE_AMBIGUOUS' : 'E_STORE', `${what}: ${reason}`)
}
