import { expect, test } from 'vitest'
import { tickEncoding } from '../../../cli/compose/tick-encoding.ts'
import type { Cells } from '../../../schemas/cells.ts'
import { hostMinute } from '../../../schemas/views/host-minute.ts'

/** Says who made the file, and never does while `stuck`. */
function encoder(name: string, { stuck = false } = {}) {
  const encodeCells = async (parts: readonly Cells[]) => {
    if (stuck) await new Promise(() => {})
    const rows = parts.reduce((sum, { length }) => sum + length, 0)
    return { bytes: Buffer.from(name), about: { partition: {}, rows, min: {}, max: {} } }
  }
  return {
    encodeCells,
    closed: 0,
    close: async function () {
      this.closed += 1
    },
  }
}

const cells = (length: number): Cells => ({ view: hostMinute, length, columns: [] })

test('a large tick does not wait for seals, and a small one begins no thread', async () => {
  const own = encoder('own')
  let opened = 0
  const open = () => {
    opened += 1
    return own
  }
  const small = tickEncoding(encoder('seals'), open)
  expect(String((await small.encode([cells(400), cells(500)])).bytes)).toBe('seals')
  await small.close()
  expect([opened, own.closed]).toEqual([0, 0])
  const large = tickEncoding(encoder('seals', { stuck: true }), open)
  for (const parts of [[cells(10_000)], [cells(1_500), cells(1_500)]])
    expect(String((await large.encode(parts)).bytes)).toBe('own')
  await large.close()
  expect([opened, own.closed]).toEqual([1, 1])
})
