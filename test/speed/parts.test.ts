import { expect, test } from 'vitest'
import type { Block } from '../../schemas/block.ts'
import { definitionHash } from '../../schemas/view.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { Chain } from '../../speed/chain.ts'
import { inTurns } from '../../speed/turns.ts'
import { hostColumns } from '../sim/messages.ts'

const BLOCKS = 1_000
const BLOCK_MESSAGES = 50
/** What columns that double have room for. */
const ROOM = 2 ** 14

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

test('parts of a backlog are nearly full, and none has memory for twice as many cells', () => {
  const chain = new Chain(hostMinute, definitionHash(hostMinute), 0, -1, 0)
  for (const turn of inTurns({ blocks: blocksOfCells(), gaps: [], to: BLOCKS - 1, toMs: BLOCKS }, -1)) {
    chain.begin(turn.messages)
    for (const block of turn.blocks) chain.add({ first: block, last: block, messages: block.messages })
    chain.advance([], turn.to, turn.toMs)
  }
  const { folds } = chain.freeze()!
  expect(folds.reduce((sum, { size }) => sum + size, 0)).toBe(BLOCKS * BLOCK_MESSAGES)
  expect(folds.map(({ room }) => room).every((room) => room <= ROOM)).toBe(true)
  for (const { size } of folds.slice(0, -1)) expect(size).toBeGreaterThan(0.75 * ROOM)
})
