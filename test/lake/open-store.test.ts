import { expect, test } from 'vitest'
import { openStore, parseStoreUrl } from '../../lake/store/open.ts'
import { SimDisk } from '../sim/disk.ts'
import { simRandom } from '../sim/random.ts'

const host = () => ({ disk: new SimDisk(1), random: simRandom(1) })

test('a folder stands as its path or as a file URL', () => {
  expect(parseStoreUrl('/data/lake')).toEqual({ folder: '/data/lake' })
  expect(parseStoreUrl('lake')).toEqual({ folder: 'lake' })
  expect(parseStoreUrl('file:///data/my%20lake')).toEqual({ folder: '/data/my lake' })
})

test('a bucket stands as its URL, with or without a prefix', () => {
  expect(parseStoreUrl('s3://tide-1')).toEqual({ bucket: 'tide-1', prefix: '' })
  expect(parseStoreUrl('s3://tide-1/')).toEqual({ bucket: 'tide-1', prefix: '' })
  expect(parseStoreUrl('s3://tide-1/a/b')).toEqual({ bucket: 'tide-1', prefix: 'a/b/' })
  for (const url of ['s3://', 's3://x', 's3://tide-1/../b', 's3://tide-1//b', 's3://ti de'])
    expect(parseStoreUrl(url)).toMatchObject({ refused: expect.any(String) })
})

test('what cannot be opened is refused with the reason and the remedy', () => {
  const refused = (url: string) => {
    try {
      openStore(url, host())
      return null
    } catch (error) {
      return error
    }
  }
  expect(refused('s3://bucket/lake')).toMatchObject({
    code: 'E_CONFIG',
    message:
      'the lake s3://bucket/lake cannot be opened: nothing was given to reach a bucket with; give a directory, a file:// or an s3:// URL',
  })
  expect(refused('hdfs://x/y')).toMatchObject({ code: 'E_CONFIG', message: expect.stringMatching(/hdfs/) })
  expect(refused('file://elsewhere/x')).toMatchObject({ code: 'E_CONFIG' })
})

test('who only reads changes nothing: neither what another is writing nor a folder that is not there', async () => {
  const { disk, random } = host()
  const writer = openStore('/lake', { disk, random })
  await writer.settle()
  await writer.store.put('t/a', new Uint8Array([1]))
  await (await disk.open('/lake/t/.tmp-1', { create: true })).close()
  const before = disk.paths()
  const { store } = openStore('file:///lake', { disk, random })
  expect((await store.list('')).map(({ key }) => key)).toEqual(['t/a'])
  expect(await openStore('/none', { disk, random }).store.list('')).toEqual([])
  expect(disk.paths()).toEqual(before)
  await writer.settle()
  expect(disk.paths()).toEqual(['/lake/t/a'])
})
