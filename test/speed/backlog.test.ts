import { expect, test } from 'vitest'
import { eventLoopTurn } from '../../cli/host/turn.ts'
import { openTable } from '../../lake/delta/table.ts'
import type { CellFile } from '../../lake/parquet/cells.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { ticksOf, ticksTable } from '../../lake/tables/ticks.ts'
import type { Block } from '../../schemas/block.ts'
import type { Cells } from '../../schemas/cells.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { HOUR_MS, MINUTE_MS } from '../../schemas/time.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { startSpeed } from '../../speed/speed.ts'
import { inTurns } from '../../speed/turns.ts'
import { HELD_MS_MAX, heldMs } from '../held.ts'
import { SimClock } from '../sim/clock.ts'
import { SimLog } from '../sim/log.ts'
import { hostColumns } from '../sim/messages.ts'
import { simRandom } from '../sim/random.ts'

const SERVICES = 10_000
const MINUTES = 12
const BLOCK_MESSAGES = 50
const CELLS_MAX = 20_000

function backlog(): Block[] {
  const blocks: Block[] = []
  for (let minute = 0; minute < MINUTES; minute++) {
    for (let first = 0; first < SERVICES; first += BLOCK_MESSAGES) {
      const messages = Array.from({ length: BLOCK_MESSAGES }, (_, i) => ({
        service: `service-${first + i}`,
        host: `host-${first + i}`,
        timeMs: 90 * HOUR_MS + minute * MINUTE_MS,
        gauges: [minute, 2, 3],
      }))
      const offset = blocks.length
      blocks.push({ partition: 0, offset, logTimeMs: 99 * HOUR_MS + offset, messages: hostColumns(messages) })
    }
  }
  return blocks
}

/** As another thread makes it: in this one it takes no time. */
function small(parts: readonly Cells[]): CellFile {
  const rows = parts.reduce((sum, { length }) => sum + length, 0)
  return { bytes: new Uint8Array(100), about: { partition: {}, rows, min: {}, max: {} } }
}

function rig(log: SimLog, encode: (parts: readonly Cells[]) => Promise<CellFile>, earlyCells?: number) {
  const clock = new SimClock(100 * HOUR_MS)
  const deps = { store: new MemoryStore(clock), clock, random: simRandom(1) }
  const ticks = openTable(ticksTable(serviceMinute), deps)
  const views = [{ view: serviceMinute, ticks, published: openTable(serviceMinute.name, deps) }]
  const config = { tickMs: 30_000, retentionMs: HOUR_MS, ...(earlyCells && { earlyCells }) }
  const more = { encode, turn: eventLoopTurn, clock, wake: makeWake(), logLine: () => {} }
  return { clock, ticks, start: () => startSpeed(config, { log, views, ...more }) }
}

test('ten thousand services at once become ticks of bounded size, and hold up nobody', async () => {
  const log = new SimLog()
  log.blocks.push(...backlog())
  const { ticks, start } = rig(log, async (parts) => small(parts))
  let speed!: Awaited<ReturnType<typeof start>>
  const held = await heldMs(async () => {
    speed = await start()
    expect(await speed.tick()).toBe(null)
  })
  const made = [...ticksOf((await ticks.snapshot())!)].sort((a, b) => a.from - b.from)
  expect(made.map(({ from }) => from)).toEqual([-1, ...made.slice(0, -1).map(({ to }) => to)])
  expect(made.at(-1)!.to).toBe(log.blocks.length - 1)
  expect(Math.max(...made.map(({ file }) => file.rows))).toBeLessThanOrEqual(CELLS_MAX)
  const open = speed.open(made[0]!.hash, 0, -1)!
  expect(open.summaries('service-7').reduce((sum, { messages }) => sum + messages, 0)).toBe(MINUTES)
  expect(held).toBeLessThan(HELD_MS_MAX)
  await speed.close()
})

test('below the limit for early ticks there is none until it is due, and then none has more cells than another', async () => {
  const log = new SimLog()
  log.blocks.push(...backlog())
  const { ticks, start } = rig(log, async (parts) => small(parts), SERVICES * MINUTES + 1)
  const speed = await start()
  expect(speed.status().chains[0]).toMatchObject({ openCells: SERVICES * MINUTES, committedTo: -1 })
  expect(await speed.tick()).toBe(null)
  const rows = ticksOf((await ticks.snapshot())!).map(({ file }) => file.rows)
  expect(rows.reduce((sum, each) => sum + each, 0)).toBe(SERVICES * MINUTES)
  expect(Math.max(...rows)).toBeLessThanOrEqual(CELLS_MAX)
  await speed.close()
})

test('the end waits a bounded time for ticks, and what they lack comes with the next start', async () => {
  const log = new SimLog()
  let slow = false
  const { clock, start } = rig(log, async (parts) => {
    if (slow) await new Promise<void>((resolve) => void clock.after(700, resolve))
    return small(parts)
  })
  const speed = await start()
  log.blocks.push(...backlog())
  slow = true
  const closed = speed.close()
  let isClosed = false
  void closed.then(() => {
    isClosed = true
  })
  const startMs = clock.nowMs()
  while (!isClosed) {
    await clock.advance(100)
    await eventLoopTurn()
  }
  expect(clock.nowMs() - startMs).toBeLessThan(4_000)
  slow = false
  const next = await start()
  expect(next.status().chains[0]!.committedTo).toBeLessThan(log.blocks.length - 1)
  expect(await next.tick()).toBe(null)
  expect(next.status().chains[0]!.committedTo).toBe(log.blocks.length - 1)
  await next.close()
})

test('a gap lies in the turn of the block behind it', () => {
  const columns = hostColumns([])
  const blocks = [0, 1, 2, 5, 6].map((offset) => {
    const payload = new Uint8Array(offset === 2 ? 1 << 20 : 10)
    return { partition: 0, offset, logTimeMs: offset, messages: columns, payload }
  })
  const gap = { partition: 0, from: 2, to: 4, fromMs: 2, toMs: 5, reason: 'damaged' }
  const turns = [...inTurns({ blocks, gaps: [gap], to: 8, toMs: 9 }, -1)]
  expect(turns.map(({ from, to, toMs, gaps }) => [from, to, toMs, gaps.length])).toEqual([
    [-1, 2, 2, 0],
    [2, 8, 9, 1],
  ])
  expect([...inTurns({ blocks: [], gaps: [gap], to: 4, toMs: 5 }, 2)].map(({ to }) => to)).toEqual([4])
})
