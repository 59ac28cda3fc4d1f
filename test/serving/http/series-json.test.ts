import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CellFold } from '../../../schemas/cell-fold.ts'
import { keyAt } from '../../../schemas/cells.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { answerFields, answersOf } from '../../../schemas/gauge-answer.ts'
import { toColumns } from '../../../schemas/message.ts'
import { withoutSources } from '../../../schemas/narrowed.ts'
import { MINUTE_MS } from '../../../schemas/time.ts'
import { defineView } from '../../../schemas/view.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { iso, rounded } from '../../../serving/http/present.ts'
import { parseFields, seriesFields, startsOf } from '../../../serving/http/series-columns.ts'
import { seriesJson } from '../../../serving/http/series-json.ts'
import { nastyMessages, scores } from '../../schemas/nasty-messages.ts'

const scoreMinute = defineView(scores, { name: 'score_minute', key: ['group'], quantiles: true })
const ABOUT = { complete: true, gaps: [] }
const START_MS = Date.UTC(2026, 10, 22)

for (const { dataset, view } of [
  { dataset: host, view: serviceMinute },
  { dataset: scores, view: scoreMinute },
]) {
  test(`a series of ${view.name} says of every bucket what its cell says`, () => {
    const some = fc.option(fc.subarray(seriesFields(view), { minLength: 1 }), { nil: undefined })
    fc.assert(
      fc.property(nastyMessages(dataset), some, (messages, fields) => {
        const as = withoutSources(view)
        const fold = new CellFold(as)
        const times = messages.map(({ timeMs }) => timeMs)
        fold.addAll(toColumns(dataset, messages))
        const key = fold.size === 0 ? 'none' : keyAt(fold.cells(), 0)
        const fromMs = Math.floor(Math.min(START_MS, ...times) / MINUTE_MS) * MINUTE_MS
        const range = { fromMs, toMs: fromMs + 200 * MINUTE_MS }
        const cells = fold.range(key, range.fromMs, range.toMs)
        const wanted = parseFields(view, fields?.join())
        const said = JSON.parse(String(seriesJson(cells, range, MINUTE_MS, wanted, ABOUT)))

        const t = startsOf(range, MINUTE_MS)
        expect(said.t).toEqual(t.map(iso))
        expect(said).toMatchObject({ step_ms: MINUTE_MS, ...ABOUT })
        const starts = (cells.columns[view.key.length] as { values: Float64Array }).values
        for (const [g, { gauge }] of view.gauges.entries()) {
          for (const [f, { name, type }] of answerFields(as, g).entries()) {
            const isSaid = type === 'double' && wanted?.has(`${gauge}.${name}`) !== false
            const values = t.map((ms) => {
              const i = starts.indexOf(ms)
              const value = i < 0 ? null : (answersOf(cells, i)[g]![f] as number | null)
              // JSON knows no negative zero.
              return value === null ? null : rounded(value) + 0
            })
            expect(said[gauge]?.[name]).toEqual(isSaid ? values : undefined)
          }
        }
        expect('messages' in said).toBe(wanted?.has('messages') !== false)
      }),
      { numRuns: 60 },
    )
  })
}

test('equal columns are told each under its name, and an empty range has no buckets', () => {
  const fold = new CellFold(serviceMinute)
  const gauges = [12.5, 40.1, 71]
  const message = { names: ['web', 'h'], timeMs: START_MS, gauges, agent: null, seq: null }
  fold.addAll(toColumns(host, [message]))
  const one = { fromMs: START_MS, toMs: START_MS + MINUTE_MS }
  const fields = new Set(['cpu.mean', 'cpu.max', 'messages'])
  expect(String(seriesJson(fold.cells(), one, MINUTE_MS, fields, ABOUT))).toBe(
    '{"t":["2026-11-22T00:00:00.000Z"],"cpu":{"mean":[12.5],"max":[12.5]},"messages":[1],"step_ms":60000,"complete":true,"gaps":[]}',
  )
  const none = { fromMs: START_MS, toMs: START_MS }
  const empty = seriesJson(new CellFold(serviceMinute).cells(), none, MINUTE_MS, null, ABOUT)
  expect(JSON.parse(String(empty)).t).toEqual([])
})
