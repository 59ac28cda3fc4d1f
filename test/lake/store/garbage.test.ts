import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TidemarkError } from '../../../schemas/errors.ts'
import type { HttpAnswer } from '../../../schemas/ports/http.ts'
import { damaged } from '../../log/damaged.ts'
import { openTide } from './bucket.ts'
import { FakeS3 } from './fake-s3.ts'

/** What stands between us and a bucket may answer anything. */

const bytes = (text: string) => new TextEncoder().encode(text)
const DATA = bytes('the bytes of an object, and then some')
const ERROR_PAGE = bytes(
  '<Error><Code>InternalError</Code><Message>We encountered an error</Message></Error>',
)

/** A bucket with objects, whose answers to requests for which `of` holds are garbled. */
async function bucket(garbled: (answer: HttpAnswer) => HttpAnswer) {
  const http = new FakeS3()
  http.pageMax = 2
  const { store } = openTide(http)
  for (const key of ['a', 'b', 'c/d e', 'f&g<h']) await store.put(key, DATA)
  http.fault = () => ({ garbled })
  return { http, store }
}

const withBody = (body: Uint8Array) => (answer: HttpAnswer) => ({ ...answer, body })
const refused = { code: expect.stringMatching(/^E_STORE/) }

test('200 with an error in it is no success of a put, a list or a delete, and is asked again', async () => {
  const { http, store } = await bucket((answer) => ({ ...answer, status: 200, body: ERROR_PAGE }))
  const before = http.requests.length
  await expect(store.put('new', DATA)).rejects.toMatchObject(refused)
  expect(http.requests.length - before).toBe(5)
  await expect(store.list('')).rejects.toMatchObject(refused)
  await expect(store.delete('a')).rejects.toMatchObject(refused)
  await expect(store.putIfAbsent('other', DATA)).rejects.toMatchObject({ code: 'E_STORE_AMBIGUOUS' })
})

test('a page of somebody else in place of an object, or of a stored one, is refused', async () => {
  const page = bytes('<html>please log in</html>')
  const { store } = await bucket(() => ({ status: 200, header: () => null, body: page }))
  await expect(store.get('a')).rejects.toMatchObject(refused)
  await expect(store.put('a', DATA)).rejects.toMatchObject({ code: 'E_STORE_AMBIGUOUS' })
})

test.each([
  ['cut off', (xml: string) => xml.slice(0, -30)],
  ['cut after an entry', (xml: string) => xml.slice(0, xml.indexOf('</Contents>') + 11)],
  [
    'without its next page',
    (xml: string) => xml.replace(/<NextContinuationToken>.*?<\/NextContinuationToken>/, ''),
  ],
  [
    'that never goes on',
    (xml: string) =>
      xml
        .replace(/<IsTruncated>\w+</, '<IsTruncated>true<')
        .replace(/<NextContinuationToken>.*?</, '<NextContinuationToken>b<'),
  ],
  ['with a key that cannot be decoded', (xml: string) => xml.replace('<Key>', '<Key>%E0%A4%A')],
  ['with a character that is none', (xml: string) => xml.replace('<Key>', '<Key>&#x110000;')],
  ['without sizes', (xml: string) => xml.replaceAll(/<Size>\d+<\/Size>/g, '')],
])('a list %s is refused: it would hide objects', async (_, harm) => {
  const { store } = await bucket((answer) => ({
    ...answer,
    body: bytes(harm(new TextDecoder().decode(answer.body))),
  }))
  await expect(store.list('')).rejects.toMatchObject({ code: 'E_STORE' })
})

test.each([
  ['of another place', 'bytes 5-9/36', DATA.slice(0, 5)],
  ['shorter than it says', `bytes 0-${DATA.length - 1}/${DATA.length}`, DATA.slice(0, 5)],
  ['without a size', 'bytes 0-4/*', DATA.slice(0, 5)],
  ['of no bytes', `bytes 0-0/${DATA.length}`, new Uint8Array()],
])('a range %s is refused', async (_, range, body) => {
  const header = (name: string) => (name === 'content-range' ? range : null)
  const { store } = await bucket(() => ({ status: 206, header, body }))
  await expect(store.get('a')).rejects.toMatchObject({ code: 'E_STORE' })
})

test('an object whose bytes look like an error is an object', async () => {
  const { store } = await bucket((answer) => answer)
  for (const code of ['NoSuchBucket', 'InternalError']) {
    const odd = bytes(`<Error><Code>${code}</Code></Error>`)
    await store.put('odd', odd)
    expect(await store.get('odd')).toEqual(odd)
  }
})

test('whatever is answered, every call has its effect, or throws an error of the list', async () => {
  const body = fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged(ERROR_PAGE), damaged(DATA))
  const status = fc.constantFrom(200, 204, 206, 301, 400, 403, 404, 409, 412, 416, 429, 500, 503)
  await fc.assert(
    fc.asyncProperty(status, body, async (answered, content) => {
      const { store } = await bucket((answer) => ({ ...withBody(content)(answer), status: answered }))
      const calls = [
        () => store.get('a'),
        () => store.list(''),
        () => store.put('n', DATA),
        () => store.putIfAbsent('n', DATA),
        () => store.delete('b'),
      ]
      for (const call of calls) await call().catch((error) => expect(error).toBeInstanceOf(TidemarkError))
    }),
    { numRuns: 100 },
  )
}, 60_000)
