import { expect, test } from 'vitest'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import { MESSAGES, messagesSchema, ticksTable } from '../../lake/tables.ts'
import { CellMap } from '../../schemas/cell.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { toColumns } from '../../schemas/message.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { startAnswers } from '../../serving/answer.ts'
import { SimClock } from '../sim/clock.ts'
import { simRandom } from '../sim/random.ts'

test('whoever has not read the lake since the start says so, until it was read', async () => {
  const clock = new SimClock(Date.UTC(2026, 10, 24))
  const memory = new MemoryStore(clock)
  let isDown = true
  const store = new Proxy<ObjectStore>(memory, {
    get(target, name) {
      if (isDown && typeof name === 'string' && name !== 'then')
        return () => Promise.reject(new TidemarkError('E_STORE', 'down'))
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const table = (name: string) => openTable(name, { store, clock, random: simRandom(1) })
  const messages = table(MESSAGES)
  const lines: string[] = []
  const open = new CellMap(serviceMinute)
  const message = {
    service: 'web',
    host: 'h',
    timeMs: clock.nowMs(),
    gauges: [1, 2, 3],
    agent: null,
    seq: null,
  }
  open.addAll(toColumns([message]))
  const answers = await startAnswers(
    { view: serviceMinute, tickMs: 30_000, indexPath: ':memory:' },
    {
      viewTable: table(serviceMinute.name),
      ticks: table(ticksTable(serviceMinute)),
      messages,
      openCells: {
        open: () => ({
          to: 4,
          gaps: [],
          range: (key, from, to) => open.range(key, from, to),
          keys: () => open.keys(),
        }),
        lag: () => ({ end: 4, behindSinceMs: null }),
        partitions: () => [0],
      },
      clock,
      wake: makeWake(),
      logLine: (line) => void lines.push(line),
    },
  )
  const range = { fromMs: 0, toMs: clock.nowMs() + 60_000 }
  const before = answers.stats('web', range)
  expect(before).toMatchObject({ complete: false, messages: 1 })
  expect(before?.gaps[0]?.reason).toMatch(/the lake was not read since the start: .*down/)
  expect(lines.join('\n')).toMatch(/serving: .*down/)

  isDown = false
  await messages.create(messagesSchema, {})
  await clock.advance(1_500)
  expect(answers.stats('web', range)).toMatchObject({ complete: true, gaps: [], messages: 1 })
  await answers.close()
})
