import { expect, test } from 'vitest'
import { append, commitKey, world } from './fixture.ts'

const about = { partition: { date: '2026-11-22' }, rows: 1, min: {}, max: {} }

test('a data file lies in the folder of its partition and carries its checksum', async () => {
  const { table, store } = await world()
  const file = await table.writeFile(new TextEncoder().encode('123456789'), about)
  expect(file.path).toMatch(/^date=2026-11-22\/[0-9a-f]{32}\.parquet$/)
  // The check value of CRC-32.
  expect(file.tags.crc32).toBe('cbf43926')
  expect(store.objects.has(`t/${file.path}`)).toBe(true)
  expect(Buffer.from(await table.readFile(file)).toString()).toBe('123456789')
})

test('folders of odd and null partition values are told apart from paths', async () => {
  const { table, open, store } = await world()
  const odd = await table.writeFile(new Uint8Array(1), { ...about, partition: { date: 'a/../b %' } })
  const none = await table.writeFile(new Uint8Array(1), { ...about, partition: { date: null } })
  expect(odd.path).toMatch(/^date=a%2F\.\.%2Fb%20%25\/\w+\.parquet$/)
  expect(none.path).toMatch(/^date=__HIVE_DEFAULT_PARTITION__\//)
  await append(table, { add: [odd, none] })
  expect(Buffer.from(store.objects.get(commitKey(1))!.bytes).toString()).toContain(
    'date=a%252F..%252Fb%2520%2525/',
  )
  const files = (await open().snapshot())!.files
  expect([files.get(odd.path), files.get(none.path)]).toEqual([odd, none])
})

test('a damaged or missing data file is refused and named, by every way to use it', async () => {
  const { table, store } = await world()
  const file = await table.writeFile(new Uint8Array([1, 2, 3]), about)
  store.objects.set(`t/${file.path}`, { bytes: new Uint8Array([1, 2, 4]), modifiedMs: 0 })
  const refused = { code: 'E_FILE_DAMAGED', message: expect.stringContaining(file.path) }
  await expect(table.readFile(file)).rejects.toMatchObject(refused)
  await expect(table.localPath(file)).rejects.toMatchObject(refused)
  store.objects.delete(`t/${file.path}`)
  await expect(table.verify(file)).rejects.toMatchObject(refused)
})

test('a file that was whole is checked again when it is verified again', async () => {
  const { table, store } = await world()
  const file = await table.writeFile(new Uint8Array([1, 2, 3]), about)
  await Promise.all([table.verify(file), table.verify(file)])
  store.objects.set(`t/${file.path}`, { bytes: new Uint8Array([1, 2, 4]), modifiedMs: 0 })
  await expect(table.verify(file)).rejects.toMatchObject({ code: 'E_FILE_DAMAGED' })
})
