import { expect, test } from 'vitest'
import { layersElsewhere } from '../../../cli/compose/layers/elsewhere.ts'
import type { Seen } from '../../../serving/answer.ts'

const END_MS = Date.parse('2026-11-23T00:00:00Z')

const seen = (view: string, parts: Partial<Seen> = {}): Seen => ({
  ...{ view, dataset: 'host', hash: 'h', messagesSeen: 7, covered: { 0: 4 }, chainEnd: { 0: 9, 1: 2 } },
  vouched: [
    { partition: 0, by: { to: 9, endMs: END_MS } },
    { partition: 1, by: { to: 3, endMs: END_MS - 5_000 } },
  ],
  ...parts,
})

test('what the lake shows of the other layers is told, and who tells the rest', () => {
  const { collector, log, lake, speed, batch } = layersElsewhere(
    [seen('service_minute'), seen('host_minute', { chainEnd: { 0: 8, 1: 2 } })],
    30_000,
  )
  for (const layer of [collector, log, lake, speed, batch])
    expect(layer).toMatchObject({ state: 'elsewhere', reason: expect.stringMatching(/health\.listen|batch/) })
  expect(log.known_to).toEqual({ 0: 9, 1: 3 })
  // Blocks 5 to 9 of partition 0, 0 to 3 of partition 1.
  expect(lake).toMatchObject({ covered: { 0: 4 }, versions: { host: 7 }, lag_blocks: 9 })
  expect(speed).toMatchObject({
    at_log_end: '2026-11-22T23:59:55.000Z',
    late_after: '2026-11-23T00:00:30.000Z',
    chains: [
      { view: 'service_minute', definition: 'h', committed: { 0: 9, 1: 2 } },
      { view: 'host_minute', definition: 'h', committed: { 0: 8, 1: 2 } },
    ],
  })
})

test('of an empty lake nothing is known, and nothing is late', () => {
  const empty = { messagesSeen: null, covered: {}, chainEnd: {}, vouched: [{ partition: 0, by: null }] }
  const { log, lake, speed } = layersElsewhere([seen('service_minute', empty)], 30_000)
  expect(log.known_to).toEqual({})
  expect(lake).toMatchObject({ covered: {}, versions: { host: 0 }, lag_blocks: 0 })
  expect(speed).toMatchObject({ at_log_end: null, late_after: null })
})
