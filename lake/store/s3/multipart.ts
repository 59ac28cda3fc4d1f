import { TidemarkError } from '../../../schemas/errors.ts'
import type { Requests, S3Request, Sent } from './requests.ts'
import { describeAnswer, element, errorCode } from './responses.ts'

/**
 * A large object goes up in parts and appears whole with the last request:
 *
 *     begin ─▶ part 1, part 2, … (some at once) ─▶ complete, under the caller's condition
 *
 * When a part fails the upload is given up, so that its parts cost nothing. What a crash leaves behind only the bucket's own
 * rule for incomplete uploads removes.
 */

const PARTS_AT_ONCE = 3

export interface LargeObject {
  readonly path: string
  readonly what: string
  readonly bytes: Uint8Array
  /** Of the request that makes the object appear. */
  readonly headers: { readonly [name: string]: string }
  readonly partBytes: number
}

/** The answer to the last request; 412 as for a put. An upload that is gone after an unclear answer counts as 412 too. */
export async function putParts(requests: Requests, object: LargeObject): Promise<Sent> {
  const { path, what, headers } = object
  const send = (request: Omit<S3Request, 'operation' | 'path'>) =>
    requests.send(what, { operation: 'multipart', path, ...request })
  const begun = await send({ method: 'POST', query: { uploads: '' } })
  const uploadId = element(new TextDecoder().decode(begun.answer.body), 'UploadId')
  if (uploadId === null) throw new TidemarkError('E_STORE', `${what}: ${describeAnswer(begun.answer)}`)
  const giveUp = () => send({ method: 'DELETE', query: { uploadId }, requestsMax: 1 }).catch(() => {})
  let etags: string[]
  try {
    etags = await uploadParts(object, async (partNumber, body) => {
      const { answer } = await send({
        method: 'PUT',
        query: { partNumber: String(partNumber), uploadId },
        body,
      })
      const etag = answer.header('etag')
      if (answer.status !== 200 || etag === null)
        throw new TidemarkError('E_STORE', `${what}: ${describeAnswer(answer)}`)
      return etag
    })
  } catch (error) {
    await giveUp()
    // Without its last request nothing appears.
    throw new TidemarkError('E_STORE', (error as Error).message, { cause: error })
  }
  const parts = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`)
  const body = new TextEncoder().encode(
    `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`,
  )
  const sent = await send({ method: 'POST', query: { uploadId }, headers, body })
  const { answer, unclear } = sent
  if (answer.status === 404 && unclear) return { answer: { ...answer, status: 412 }, unclear }
  if (answer.status === 412) await giveUp()
  // S3 may begin a 200 before it knows.
  else if (answer.status !== 200 || errorCode(answer) !== null)
    throw new TidemarkError('E_STORE_AMBIGUOUS', `${what}: ${describeAnswer(answer)}`)
  return sent
}

async function uploadParts(
  { bytes, partBytes }: LargeObject,
  upload: (partNumber: number, body: Uint8Array) => Promise<string>,
): Promise<string[]> {
  const count = Math.ceil(bytes.length / partBytes)
  const etags: string[] = []
  for (let first = 0; first < count; first += PARTS_AT_ONCE) {
    const numbers = Array.from({ length: Math.min(PARTS_AT_ONCE, count - first) }, (_, i) => first + i)
    const part = (i: number) => upload(i + 1, bytes.subarray(i * partBytes, (i + 1) * partBytes))
    const settled = await Promise.allSettled(numbers.map(part))
    for (const result of settled) {
      if (result.status === 'rejected') throw result.reason
      etags.push(result.value)
    }
  }
  return etags
}
