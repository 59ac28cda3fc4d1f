import { expect, test } from 'vitest'
import { replaceFile } from '../../../cli/host/replace-file.ts'
import { SimDisk } from '../../sim/disk.ts'

test('a file that cannot be written stays as it was, and none is left open, however often it is tried', async () => {
  const disk = new SimDisk(1)
  await disk.makeDir('/data')
  await replaceFile(disk, '/data/addresses.json', 'old')
  disk.capacityBytes = disk.usedBytes()
  for (let n = 0; n < 3; n++)
    await expect(replaceFile(disk, '/data/addresses.json', 'newer')).rejects.toMatchObject({
      code: 'E_DISK_FULL',
    })
  expect(disk.handles.size).toBe(0)
  expect(new TextDecoder().decode((await disk.readFile('/data/addresses.json'))!)).toBe('old')
})
