import { expect, test } from 'vitest'
import { bucketPlace } from '../../batch/engines/spark-place.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { SimClock } from '../sim/clock.ts'

const OLD_MS = 7_200_000

function rig(sessionToken: string | null = null) {
  const clock = new SimClock(0)
  const memory = new MemoryStore(clock)
  const store = Object.assign(memory, { url: (key: string) => `s3://bucket/the lake/${key}` })
  const credentials = { accessKey: 'key', secretKey: 'secret', sessionToken, expiresMs: null }
  const access = async () => ({ endpoint: null, region: 'eu-north-1', pathStyle: false, credentials })
  return { clock, store, place: bucketPlace(store, access, { clock, oldMs: OLD_MS }) }
}

test('in a bucket, runs have folders of their own, and what died ones left goes in time', async () => {
  const { clock, store, place } = rig()
  const some = new Uint8Array([1])
  expect(place.url('a1/0')).toBe('s3a://bucket/the lake/_scratch/a1/0')
  for (const key of ['_scratch/a1/0/_SUCCESS', '_scratch/a1/0/part-0.parquet', 'messages/x'])
    await store.put(key, some)
  await clock.advance(OLD_MS)
  await store.put('_scratch/a10/0/part-0.parquet', some)
  await place.tidy()
  expect(await place.list('a1/0')).toEqual(['_SUCCESS', 'part-0.parquet'])
  expect(await place.read('a1/0/part-0.parquet')).toEqual(some)
  await clock.advance(1)
  await place.tidy()
  expect((await store.list('')).map(({ key }) => key)).toEqual([
    '_scratch/a10/0/part-0.parquet',
    'messages/x',
  ])
  await place.remove('a1')
  expect(await place.list('a10/0')).toEqual(['part-0.parquet'])
  await place.remove('a10')
  expect((await store.list('')).map(({ key }) => key)).toEqual(['messages/x'])
})

test('the key of a bucket is told by variables only, without a session of another', async () => {
  const { conf, env } = await rig().place.access()
  expect(conf).toEqual({
    'spark.hadoop.fs.s3a.endpoint.region': 'eu-north-1',
    'spark.hadoop.fs.s3a.path.style.access': 'false',
  })
  expect(env).toEqual({
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: undefined,
  })
  expect((await rig('session').place.access()).env.AWS_SESSION_TOKEN).toBe('session')
})
