import fc from 'fast-check'
import { expect, test } from 'vitest'
import { acceptAll, countedBlock } from '../../log/accepted.ts'
import { Repeats, type RepeatsLimits } from '../../log/repeats.ts'
import { decodeRepeats, encodeRepeats } from '../../log/repeats-codec.ts'
import { AGENT_KEPT_MS } from '../../log/senders.ts'
import type { Block } from '../../schemas/block.ts'
import { host } from '../../schemas/datasets/host.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { messageAt, toColumns } from '../../schemas/message.ts'
import { DAY_MS, HOUR_MS } from '../../schemas/time.ts'

type Row = readonly [agent: string | null, seq: number]

function blockOf(
  offset: number,
  rows: readonly Row[],
  { id = null as string | null, logTimeMs = 0 } = {},
): Block {
  const messages = rows.map(([agent, seq], i) => ({
    names: ['web', `host-${i}`],
    timeMs: offset * 1_000 + i,
    gauges: [i, seq, offset],
    agent,
    seq: agent === null ? null : seq,
  }))
  return { partition: 0, offset, logTimeMs, id, messages: toColumns(host, messages) }
}

/** What counts, as `offset/row`. */
function counted(repeats: Repeats, blocks: readonly Block[]): string[] {
  return acceptAll(repeats, { blocks, gaps: [] }).flatMap(({ block, rows }) =>
    [...(rows ?? block.messages.seq.keys())].map((i) => `${block.offset}/${i}`),
  )
}

/** The fold that begins where another ended, by way of what is kept. */
function restarted(repeats: Repeats, position: number, limits?: RepeatsLimits): Repeats {
  const name = { partition: 0, position }
  const state = decodeRepeats(encodeRepeats(name, repeats.state), name)
  if ('damage' in state) expect.unreachable(state.damage)
  return new Repeats(state as Exclude<typeof state, { damage: string }>, limits)
}

test('the first copy of an agent and number counts', () => {
  const blocks = [
    blockOf(0, [
      ['a', 1],
      ['a', 2],
      ['b', 1],
    ]),
    blockOf(1, [
      ['a', 2],
      ['a', 3],
      ['b', 1],
      [null, 0],
    ]),
    blockOf(2, [
      ['b', 1],
      ['a', 1],
    ]),
  ]
  expect(counted(new Repeats(), blocks)).toEqual(['0/0', '0/1', '0/2', '1/1', '1/3'])
})

test('rows that count keep all that they had', () => {
  const [block, again] = [
    blockOf(0, [['a', 1]]),
    blockOf(1, [
      ['a', 1],
      ['b', 7],
      ['a', 2],
    ]),
  ]
  const [, accepted] = acceptAll(new Repeats(), { blocks: [block, again], gaps: [] })
  const { messages } = countedBlock(accepted!)
  const rows = Array.from({ length: messages.length }, (_, i) => messageAt(messages, i))
  expect(rows).toEqual([1, 2].map((i) => messageAt(again.messages, i)))
})

test('a block whose id was seen counts once; after many others its id is forgotten', () => {
  const unnumbered = (offset: number, id: string) => blockOf(offset, [[null, 0]], { id })
  const limits = { ids: 2, agentBytes: 1_000 }
  const ids = ['x', 'y', 'x', 'z', 'y', 'x']
  const blocks = ids.map((id, offset) => unnumbered(offset, id))
  expect(counted(new Repeats(undefined, limits), blocks)).toEqual(['0/0', '1/0', '3/0', '5/0'])
})

test('an agent that was not seen for 90 days of log time is unknown, also within the hour', () => {
  const at = (offset: number, logTimeMs: number) => blockOf(offset, [['a', 5]], { logTimeMs })
  const repeats = new Repeats()
  const times = [HOUR_MS, HOUR_MS + 1, AGENT_KEPT_MS + HOUR_MS + 1, 2 * AGENT_KEPT_MS + HOUR_MS + 2]
  expect(
    counted(
      repeats,
      times.map((ms, offset) => at(offset, ms)),
    ),
  ).toEqual(['0/0', '3/0'])
  repeats.accept(blockOf(4, [['b', 1]], { logTimeMs: 5 * AGENT_KEPT_MS }))
  expect([...repeats.state.agents.keys()]).toEqual(['b'])
})

test('of too many agents those unseen for the longest are forgotten', () => {
  const repeats = new Repeats(undefined, { ids: 1, agentBytes: 10 * 30 })
  for (let n = 0; n < 100; n++)
    repeats.accept(
      blockOf(
        n,
        [
          [`n${n}`.padStart(4, '-'), 1],
          ['keep', n + 1],
        ],
        { logTimeMs: n * HOUR_MS },
      ),
    )
  expect(repeats.state.agents.size).toBeLessThanOrEqual(10)
  expect([...repeats.state.agents.keys()].at(-1)).toBe('keep')
})

test('a block that cannot be read changes nothing', () => {
  const repeats = new Repeats()
  const unread = {
    ...blockOf(0, []),
    get messages(): never {
      throw new TidemarkError('E_COLUMNS', 'it is none')
    },
  }
  expect(repeats.accept(unread)).toBe(null)
  expect(repeats.state.nowMs).toBe(0)
})

const AGENTS = ['a', 'b', 'c', 'd', 'ee', 'fff', null]
const someBlocks = fc
  .array(
    fc.record({
      rows: fc.array(fc.tuple(fc.constantFrom(...AGENTS), fc.integer({ min: 1, max: 9 })), { maxLength: 5 }),
      id: fc.option(fc.constantFrom('p', 'q', 'r', 's', 't'), { nil: null }),
      laterMs: fc.oneof(
        fc.constantFrom(0, 1, -HOUR_MS, HOUR_MS, 30 * DAY_MS, AGENT_KEPT_MS, AGENT_KEPT_MS + 1),
        fc.integer({ min: 0, max: DAY_MS }),
      ),
    }),
    { maxLength: 40 },
  )
  .map((all) => {
    let logTimeMs = 0
    return all.map(({ rows, id, laterMs }, offset) => {
      logTimeMs = Math.max(0, logTimeMs + laterMs)
      return blockOf(offset, rows, { id, logTimeMs })
    })
  })
const someLimits = fc.record({
  ids: fc.integer({ min: 1, max: 4 }),
  agentBytes: fc.integer({ min: 30, max: 150 }),
})

test('any cut into readers, restarts and slices accepts the same messages', () => {
  const cuts = fc.array(fc.record({ blocks: fc.integer({ min: 0, max: 7 }), restarts: fc.boolean() }))
  fc.assert(
    fc.property(someBlocks, someLimits, cuts, (blocks, limits, all) => {
      const whole = new Repeats(undefined, limits)
      const want = counted(whole, blocks)
      let part = new Repeats(undefined, limits)
      const got: string[] = []
      let at = 0
      for (const { blocks: count, restarts } of [...all, { blocks: blocks.length, restarts: false }]) {
        got.push(...counted(part, blocks.slice(at, at + count)))
        at = Math.min(blocks.length, at + count)
        part = restarts ? restarted(part, at - 1, limits) : part.copy()
      }
      expect(got).toEqual(want)
      const name = { partition: 0, position: blocks.length - 1 }
      expect(encodeRepeats(name, part.state)).toEqual(encodeRepeats(name, whole.state))
    }),
    { numRuns: 1_000 },
  )
})

test('while nothing is forgotten it is each message once, as a plain set says', () => {
  fc.assert(
    fc.property(someBlocks, (blocks) => {
      const near = blocks.map((block) => ({ ...block, logTimeMs: 0 }))
      const highest = new Map<string, number>()
      const ids = new Set<string>()
      const want = near.flatMap(({ id, offset, messages }) => {
        if (id != null && ids.has(id)) return []
        if (id != null) ids.add(id)
        return Array.from({ length: messages.length }, (_, i) => messageAt(messages, i)).flatMap(
          ({ agent, seq }, i) => {
            if (agent !== null && seq! <= (highest.get(agent) ?? 0)) return []
            if (agent !== null) highest.set(agent, seq!)
            return [`${offset}/${i}`]
          },
        )
      })
      expect(counted(new Repeats(), near)).toEqual(want)
    }),
  )
})

test('damaged states are said, whatever byte it is', () => {
  const repeats = new Repeats()
  repeats.accept(
    blockOf(
      0,
      [
        ['a', 1],
        ['b', 2],
      ],
      { id: 'x' },
    ),
  )
  const name = { partition: 3, position: 0 }
  const bytes = encodeRepeats(name, repeats.state)
  for (let i = 0; i < bytes.length; i++) {
    const flipped = Buffer.from(bytes)
    flipped[i]! ^= 4
    expect(decodeRepeats(flipped, name)).toHaveProperty('damage')
    expect(decodeRepeats(bytes.subarray(0, i), name)).toHaveProperty('damage')
  }
  expect(decodeRepeats(bytes, { partition: 3, position: 1 })).toEqual({ damage: 'it is the state at 3/0' })
})
