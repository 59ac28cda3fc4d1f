import { expect, test } from 'vitest'
import type { Block } from '../../schemas/block.ts'
import { definitionHash } from '../../schemas/view.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { Chain } from '../../speed/chain.ts'
import { inTurns } from '../../speed/turns.ts'
import { hostColumns } from '../sim/messages.ts'

const BLOCKS = 1_000
const BLOCK_MESSAGES = 50
/** A part that has so many is ended, behind the turn. */
const CELLS = 16_000
/** What columns that double have room for then. */
const ROOM = 2 ** 15

/** Blocks of messages of which each is a cell of its own. */
function blocksOfCells(): Block[] {
  return Array.from({ length: BLOCKS }, (_, offset) => {
    const messages = Array.from({ length: BLOCK_MESSAGES }, (_, i) => ({
      service: 'service-1',
      host: `host-${offset * BLOCK_MESSAGES + i}`,
      timeMs: 0,
      gauges: [1, 2, 3],
    }))
    return { partition: 0, offset, logTimeMs: offset, messages: hostColumns(messages) }
  })
}

test('parts of a backlog are nearly full, and but for the first none ever grew', () => {
  const chain = new Chain(hostMinute, definitionHash(hostMinute), 0, -1, 0)
  for (const turn of inTurns({ blocks: blocksOfCells(), gaps: [], to: BLOCKS - 1, toMs: BLOCKS }, -1)) {
    chain.begin()
    for (const block of turn.blocks) chain.add({ first: block, last: block, messages: block.messages })
    chain.advance([], turn.to, turn.toMs)
  }
  const { folds } = chain.freeze()!
  expect(folds.reduce((sum, { size }) => sum + size, 0)).toBe(BLOCKS * BLOCK_MESSAGES)
  const [first, ...rest] = folds.map(({ room }) => room)
  expect(first).toBeLessThanOrEqual(ROOM)
  // As they were begun: they never grew.
  expect(new Set(rest)).toEqual(new Set([20_000]))
  for (const { size } of folds.slice(0, -1)) expect(size).toBeGreaterThanOrEqual(CELLS)
})

test('messages that make no new cells end no part, however many they are', () => {
  const chain = new Chain(hostMinute, definitionHash(hostMinute), 0, -1, 0)
  const all = blocksOfCells().slice(0, 300)
  for (let round = 0; round < 4; round++)
    for (const turn of inTurns({ blocks: all, gaps: [], to: all.length - 1, toMs: 1 }, -1)) {
      chain.begin()
      for (const block of turn.blocks) chain.add({ first: block, last: block, messages: block.messages })
      chain.advance([], turn.to, turn.toMs)
    }
  expect(chain.freeze()!.folds.map(({ size }) => size)).toEqual([15_000])
})
