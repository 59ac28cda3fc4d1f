import { TidemarkError } from '../../../schemas/errors.ts'
import type { HttpAnswer } from '../../../schemas/ports/http.ts'
import type { StoredObject } from '../port.ts'

/** What S3 answers, as values. Its XML is flat and fixed, so elements are found by their names. */

/** The text of the first element of that name; null when there is none. */
export function element(xml: string, name: string): string | null {
  const match = new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`).exec(xml)
  return match ? unescaped(match[1]!) : null
}

const ENTITIES: { readonly [name: string]: string } = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole
    const code = Number.parseInt(hex ?? decimal, hex ? 16 : 10)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}

export interface Page {
  readonly objects: readonly StoredObject[]
  /** Where the next page goes on; null after the last. */
  readonly next: string | null
}

/** A page of a list whose keys are URL-encoded and begin with `prefix`. Throws `E_STORE` for what is none. */
export function parsePage(answer: HttpAnswer, prefix: string): Page {
  const xml = textOf(answer)
  // One that is cut off would hide objects.
  if (!/<ListBucketResult[\s\S]*<\/ListBucketResult>\s*$/.test(xml))
    throw new TidemarkError('E_STORE', 'a list is not a whole one of S3')
  const isEncoded = element(xml, 'EncodingType') === 'url'
  const objects = [...xml.matchAll(/<Contents>.*?<\/Contents>/gs)].map(([entry]) => {
    const raw = element(entry, 'Key') ?? ''
    const key = isEncoded ? decoded(raw) : raw
    const size = Number(element(entry, 'Size') ?? Number.NaN)
    const modifiedMs = Date.parse(element(entry, 'LastModified') ?? '')
    if (key === null || !key.startsWith(prefix) || Number.isNaN(size) || Number.isNaN(modifiedMs))
      throw new TidemarkError('E_STORE', `a list has a wrong entry: ${entry.slice(0, 200)}`)
    return { key: key.slice(prefix.length), size, modifiedMs }
  })
  if (element(xml, 'IsTruncated') !== 'true') return { objects, next: null }
  const next = element(xml, 'NextContinuationToken')
  if (!next) throw new TidemarkError('E_STORE', 'a list does not say where it goes on')
  return { objects, next }
}

function decoded(raw: string): string | null {
  try {
    return decodeURIComponent(raw.replaceAll('+', '%20'))
  } catch {
    return null
  }
}

/** S3's own code of an error, like `NoSuchKey`; null where it gives none. */
export function errorCode(answer: HttpAnswer): string | null {
  return answer.body.length === 0 ? null : element(textOf(answer), 'Code')
}

/** What was answered in place of success, for people. */
export function describeAnswer(answer: HttpAnswer): string {
  const code = errorCode(answer)
  const message = answer.body.length === 0 ? null : element(textOf(answer), 'Message')
  const region = answer.header('x-amz-bucket-region')
  const parts = [`HTTP ${answer.status}`, ...(code ? [code] : []), ...(message ? [message] : [])]
  if ((answer.status === 301 || answer.status === 400) && region) parts.push(`the bucket is in ${region}`)
  return parts.join(', ')
}

function textOf({ body }: HttpAnswer): string {
  return new TextDecoder().decode(body)
}
