import { expect, test } from 'vitest'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import { lakeTables } from '../../lake/tables/deployment.ts'
import { messagesSchema } from '../../lake/tables/messages.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { host } from '../../schemas/datasets/host.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { startAnswers } from '../../serving/answer.ts'
import { SimClock } from '../sim/clock.ts'
import { hostColumns } from '../sim/messages.ts'
import { simRandom } from '../sim/random.ts'

/** Answers over a lake that is out of reach, until `up` is called; `start` is where the log begins, from which nothing is folded behind -1. */
async function unreadRig(start = -1) {
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
  const tables = lakeTables({ datasets: [host], views: [serviceMinute] }, (name) =>
    openTable(name, { store, clock, random: simRandom(1) }),
  )
  const lines: string[] = []
  const open = new CellFold(serviceMinute)
  open.addAll(hostColumns([{ service: 'web', host: 'h', timeMs: clock.nowMs(), gauges: [1, 2, 3] }]))
  const answers = await startAnswers(
    { tickMs: 30_000, indexPath: ':memory:' },
    {
      tables,
      openCells: {
        open: () =>
          start > -1
            ? null
            : {
                to: 4,
                gaps: [],
                cells: (key, from, to) => [open.range(key, from, to)],
                keys: () => open.keys(),
                summaries: (key) => [open.summary(key)].filter((summary) => summary !== null),
              },
        lag: () => ({ start, end: 4, behindSinceMs: null }),
        partitions: () => [0],
      },
      clock,
      wake: makeWake(),
      logLine: (line) => void lines.push(line),
    },
  )
  const range = { fromMs: 0, toMs: clock.nowMs() + 60_000 }
  async function up() {
    isDown = false
    await tables.datasets[0]!.messages.create(messagesSchema(host), {})
    await clock.advance(1_500)
  }
  return { answers, range, lines, up }
}

test('whoever has not read the lake since the start says so, until it was read', async () => {
  const { answers, range, lines, up } = await unreadRig()
  const before = answers.stats('service_minute', 'web', range)
  expect(before).toMatchObject({ complete: false, messages: 1 })
  expect(before?.gaps[0]?.reason).toMatch(/the lake was not read since the start: .*down/)
  expect(lines.join('\n')).toMatch(/serving: .*down/)

  await up()
  expect(answers.stats('service_minute', 'web', range)).toMatchObject({
    complete: true,
    gaps: [],
    messages: 1,
  })
  await answers.close()
})

test('a log whose beginning is trimmed waits for no run, as long as it is not known what is published', async () => {
  const { answers, range, up } = await unreadRig(2)
  const { complete, gaps } = answers.whole('service_minute', range)
  expect(complete).toBe(false)
  expect(gaps.map(({ reason }) => reason).join()).toMatch(/the lake was not read since the start: .*down/)
  await up()
  expect(() => answers.whole('service_minute', range)).toThrow(/answers once a run has published it/)
  await answers.close()
})
