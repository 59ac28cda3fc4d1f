import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { putUntilClear } from '../../../lake/store/put-until-clear.ts'
import { PART_BYTES } from '../../../lake/store/s3/store.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { SimClock } from '../../sim/clock.ts'
import { hastyClock, openTide } from './bucket.ts'
import { FakeS3, type Fault } from './fake-s3.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (found: Uint8Array | null) => found && new TextDecoder().decode(found)

/** The faults of the next requests, in turn; then none. */
function inTurn(s3: FakeS3, ...faults: Fault[]): void {
  s3.fault = () => faults.shift() ?? null
}

test('twenty writers put one absent key at once: one wins, and its bytes stay', async () => {
  const s3 = new FakeS3()
  for (let round = 0; round < 10; round++) {
    const writers = Array.from({ length: 20 }, () => openTide(s3).store)
    const won = await Promise.all(writers.map((store, i) => store.putIfAbsent(`log/${round}`, bytes(`${i}`))))
    expect(won.filter(Boolean)).toHaveLength(1)
    expect(text(await writers[0]!.get(`log/${round}`))).toBe(String(won.indexOf(true)))
  }
})

test('a put whose answer was lost is sent again and known by its bytes', async () => {
  const s3 = new FakeS3()
  inTurn(s3, { lost: true })
  expect(await openTide(s3).store.putIfAbsent('a', bytes('mine'))).toBe(true)
  expect(s3.requests.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'GET'])
})

test('a put whose answer was lost, and that another was before, has lost', async () => {
  const s3 = new FakeS3()
  s3.objects.set('lake/a', bytes('other'))
  inTurn(s3, { lost: true })
  expect(await openTide(s3).store.putIfAbsent('a', bytes('mine'))).toBe(false)
  expect(text(s3.objects.get('lake/a')!)).toBe('other')
})

test('409 and 429 had no effect: the put is sent again, and losing needs no reading back', async () => {
  const s3 = new FakeS3()
  s3.objects.set('lake/a', bytes('mine'))
  inTurn(s3, { answer: { status: 409, code: 'ConditionalRequestConflict' } }, { answer: { status: 429 } })
  expect(await openTide(s3).store.putIfAbsent('a', bytes('mine'))).toBe(false)
  expect(s3.requests.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'PUT'])
})

test('what stays unclear is said to be so, and is clear once the store is back', async () => {
  const s3 = new FakeS3()
  const { store } = openTide(s3)
  s3.fault = () => ({ answer: { status: 503, code: 'SlowDown' } })
  await expect(store.putIfAbsent('a', bytes('mine'))).rejects.toMatchObject({ code: 'E_STORE_AMBIGUOUS' })
  expect(s3.requests).toHaveLength(5)
  // The last of six answers that are lost: it had its effect.
  let left = 6
  s3.fault = () => (left-- > 0 ? { lost: true } : null)
  expect(await putUntilClear(store, hastyClock, 'a', bytes('mine'))).toBe(true)
})

test('a server that cannot be reached has done nothing: E_STORE, and a read is never ambiguous', async () => {
  const s3 = new FakeS3()
  const { store } = openTide(s3)
  s3.fault = () => ({ error: new TidemarkError('E_CONNECT', 'refused') })
  await expect(store.putIfAbsent('a', bytes('x'))).rejects.toMatchObject({ code: 'E_STORE' })
  s3.fault = () => ({ answer: { status: 500 } })
  await expect(store.get('a')).rejects.toMatchObject({ code: 'E_STORE', message: /5 times/ })
  await expect(store.list('')).rejects.toMatchObject({ code: 'E_STORE' })
})

test('a wrong key is refused at once with what the store says; a missing bucket is no missing object', async () => {
  const s3 = new FakeS3()
  const { store } = openTide(s3, { config: { accessKey: 'wrong' } })
  const refused = { code: 'E_STORE', message: 'object "a": HTTP 403, AccessDenied, no & no' }
  await expect(store.put('a', bytes('x'))).rejects.toMatchObject(refused)
  expect(s3.requests).toHaveLength(1)
  s3.fault = () => ({ answer: { status: 404, code: 'NoSuchBucket' } })
  await expect(store.get('a')).rejects.toMatchObject({ code: 'E_STORE', message: /NoSuchBucket/ })
})

test('a request that is not answered ends after its time limit, and is sent five times', async () => {
  const s3 = new FakeS3()
  const clock = new SimClock(0)
  s3.silent = true
  const failed = openTide(s3, { clock })
    .store.get('a')
    .catch((error) => error)
  let isOver = false
  void failed.then(() => {
    isOver = true
  })
  while (!isOver) {
    await clock.advance(1_000)
    // Signing takes a turn of the real loop.
    await setImmediate()
  }
  expect(await failed).toMatchObject({ code: 'E_STORE', message: /no answer within 26000 ms, 5 times/ })
  expect(s3.requests).toHaveLength(5)
})

test('a list goes on page by page, whatever stands in the keys', async () => {
  const s3 = new FakeS3()
  const { store } = openTide(s3)
  const keys = ['t/a b', 't/a&<b', 't/d=1/ü+%', 't/x1', 't/x2', 't/x3'].sort()
  for (const key of keys) await store.put(key, bytes(key))
  s3.objects.set('other/t/a', bytes(''))
  s3.pageMax = 2
  expect((await store.list('t/')).map(({ key }) => key)).toEqual(keys)
  expect((await store.list('t/', 't/x1')).map(({ key }) => key)).toEqual(['t/x2', 't/x3'])
  for (const key of keys) expect(text(await store.get(key))).toBe(key)
})

test('a large object goes up and comes back in parts, under the same condition', async () => {
  const s3 = new FakeS3()
  const { store, requests } = openTide(s3)
  const large = new Uint8Array(2 * PART_BYTES + 5).map((_, i) => i % 251)
  expect(await store.putIfAbsent('large', large)).toBe(true)
  expect(Buffer.compare((await store.get('large'))!, large)).toBe(0)
  expect(
    await store.putIfAbsent(
      'large',
      large.map(() => 7),
    ),
  ).toBe(false)
  expect(s3.openUploads).toBe(0)
  // Begin, three parts, complete; and the same again with the giving up.
  expect([requests()!.multipart.requests, requests()!.get.requests]).toEqual([11, 3])
})

test('a large object whose last answer was lost is known by its bytes; a part that fails leaves nothing', async () => {
  const s3 = new FakeS3()
  const { store } = openTide(s3)
  const large = new Uint8Array(PART_BYTES + 1)
  let isLost = false
  s3.fault = ({ method, query }) => {
    if (method !== 'POST' || query.has('uploads') || isLost) return null
    isLost = true
    return { lost: true }
  }
  expect(await store.putIfAbsent('large', large)).toBe(true)
  s3.fault = ({ query }) => (query.has('partNumber') ? { answer: { status: 500 } } : null)
  await expect(store.putIfAbsent('more', large)).rejects.toMatchObject({ code: 'E_STORE' })
  expect([s3.openUploads, s3.objects.size]).toEqual([0, 1])
})

test('a store that ignores If-None-Match is refused by name before anything relies on it', async () => {
  const s3 = new FakeS3()
  await openTide(s3).probe()
  s3.ignoresConditions = true
  await expect(openTide(s3).probe()).rejects.toMatchObject({
    code: 'E_CONFIG',
    field: 'lake.url',
    message: /http:\/\/127\.0\.0\.1:1\/tide ignores If-None-Match/,
  })
  expect(s3.objects.size).toBe(0)
})

test('requests and bytes are counted by operation', async () => {
  const s3 = new FakeS3()
  const { store, requests } = openTide(s3)
  inTurn(s3, { answer: { status: 500 } })
  await store.put('a', bytes('12345'))
  await store.get('a')
  await store.delete('a')
  expect(requests()).toMatchObject({
    put: { requests: 2, repeats: 1, bytesSent: 10 },
    get: { requests: 1, repeats: 0, bytesReceived: 5 },
    delete: { requests: 1 },
    list: { requests: 0 },
  })
})
