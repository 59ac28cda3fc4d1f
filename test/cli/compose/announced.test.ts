import { expect, test } from 'vitest'
import { readOwn } from '../../../cli/access/tokens.ts'
import { readAddresses } from '../../../cli/compose/addresses.ts'
import { Announced } from '../../../cli/compose/announced.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'

const ADDRESSES = { collector: '127.0.0.1:1', serving: 'http://127.0.0.1:2' }

function rig() {
  const clock = new SimClock(0)
  const disk = new SimDisk(1)
  const lines: string[] = []
  const announced = new Announced('/data', { disk, clock, logLine: (line) => void lines.push(line) })
  const found = async () => [await readAddresses(disk, '/data'), await readOwn(disk, '/data')]
  return { clock, disk, lines, announced, found }
}

const full = (what: string, path: string) => {
  if (what === 'write') throw new TidemarkError('E_DISK_FULL', `${path}: no space left`)
}

test('a running process is found from ready to stopped', async () => {
  const { announced, found } = rig()
  await announced.write(ADDRESSES, 'tmk_own')
  expect([await found(), announced.status().state]).toEqual([[ADDRESSES, 'tmk_own'], 'ok'])
  await announced.close()
  expect(await found()).toEqual([null, null])
})

test('on a full disk it says so, once, and is found as soon as there is room', async () => {
  const { clock, disk, lines, announced, found } = rig()
  disk.fault = full
  await announced.write(ADDRESSES, 'tmk_own')
  await clock.advance(5_000)
  expect(announced.status()).toEqual({ state: 'failing', reason: expect.stringContaining('no space left') })
  expect(lines).toHaveLength(1)
  disk.fault = null
  await clock.advance(1_000)
  expect([await found(), announced.status().state]).toEqual([[ADDRESSES, 'tmk_own'], 'ok'])
  await announced.close()
})

test('one that is stopped meanwhile leaves nothing behind', async () => {
  const { clock, disk, announced, found } = rig()
  disk.fault = full
  await announced.write(ADDRESSES, 'tmk_own')
  await announced.close()
  disk.fault = null
  await clock.advance(5_000)
  expect(await found()).toEqual([null, null])
})
