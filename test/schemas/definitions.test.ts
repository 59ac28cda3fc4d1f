import { expect, test } from 'vitest'
import { formOf, formText, parseForm } from '../../schemas/dataset.ts'
import { host } from '../../schemas/datasets/host.ts'
import { type Definitions, withTables } from '../../schemas/definitions.ts'
import { fitTo, messageAt, misfit, toColumns } from '../../schemas/message.ts'
import { DAY_MS } from '../../schemas/time.ts'
import { defineView, definitionHash, definitionJson, parseDefinition } from '../../schemas/view.ts'
import { viewColumns } from '../../schemas/view-columns.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { scores } from './nasty-messages.ts'

const builtIn: Definitions = { datasets: [host], views: [serviceMinute, hostMinute] }
const names = (view: Parameters<typeof viewColumns>[0]) => viewColumns(view).map(({ name }) => name)

test('the columns of service_minute stand in the published order', () => {
  expect(names(serviceMinute).join(' ')).toBe(
    'service time_stamp cpu ram disk max_cpu_time max_cpu max_ram_time max_ram max_disk_time max_disk msg_num ' +
      'max_cpu_host max_ram_host max_disk_host min_cpu min_ram min_disk cpu_sketch ram_sketch disk_sketch',
  )
})

test('host_minute has the host in its key, and so neither hosts of maxima nor sketches', () => {
  expect(names(hostMinute).join(' ')).toBe(
    'service host time_stamp cpu ram disk max_cpu_time max_cpu max_ram_time max_ram max_disk_time max_disk msg_num ' +
      'min_cpu min_ram min_disk',
  )
})

test('a dataset with optional gauges counts them, and their extremes may be missing', () => {
  const view = defineView(scores, { name: 'score_minute', key: ['group'] })
  expect(names(view).join(' ')).toBe(
    'group time_stamp math reading writing max_math_time max_math max_reading_time max_reading max_writing_time ' +
      'max_writing msg_num reading_num writing_num min_math min_reading min_writing',
  )
  const nullable = viewColumns(view).filter((column) => column.nullable)
  expect(nullable.map(({ name }) => name).join(' ')).toBe(
    'max_reading_time max_reading max_writing_time max_writing min_reading min_writing',
  )
})

test('tables of tidemark.toml become datasets and views', () => {
  const { datasets, views } = withTables(builtIn, {
    datasets: {
      scores: {
        keys: ['group', 'lunch'],
        source: 'student',
        gauges: { math: { unit: 'points', min: 0, max: 100 }, writing: { unit: 'points', optional: true } },
        attributes: ['note'],
      },
      rooms: { keys: ['room'], gauges: { heat: {} } },
    },
    views: { score_day: { dataset: 'scores', key: ['group'], bucket: '1d', quantiles: true } },
  })
  expect(datasets.map(({ name }) => name)).toEqual(['host', 'scores', 'rooms'])
  expect(views.map(({ name }) => name)).toEqual([
    'service_minute',
    'host_minute',
    'score_day',
    'rooms_minute',
  ])
  const [, , day] = views
  expect([day!.bucketMs, day!.source, day!.measures.at(-1)]).toEqual([DAY_MS, 'student', 'quantiles'])
  expect(datasets[2]!.gauges[0]).toEqual({ name: 'heat', unit: '', min: -1e15, max: 1e15, optional: false })
})

const gauges = { x: {} }
const wrong: [string, { datasets?: unknown; views?: unknown }, string][] = [
  ['a built-in name', { datasets: { host: { keys: ['a'], gauges } } }, 'datasets.host: it is built in'],
  ['a bad name', { datasets: { Scores: { keys: ['a'], gauges } } }, '"Scores" must be 1 to 48'],
  ['no key', { datasets: { d: { keys: [], gauges } } }, 'keys must be a list of 1 to 6 names'],
  ['no gauge', { datasets: { d: { keys: ['a'] } } }, 'it needs 1 to 64 gauges'],
  ['a reserved column', { datasets: { d: { keys: ['seq'], gauges } } }, 'must not be called seq'],
  ['two columns of one name', { datasets: { d: { keys: ['x'], gauges } } }, 'two columns are called x'],
  [
    'a gauge that is called as the maximum of another, in the view that it gets',
    { datasets: { d: { keys: ['a'], gauges: { x: {}, max_x: {} } } } },
    'd_minute: two columns are called max_x',
  ],
  [
    'a gauge that is called as the count of another, in the view that it gets',
    { datasets: { d: { keys: ['a'], gauges: { x: { optional: true }, x_num: {} } } } },
    'd_minute: two columns are called x_num',
  ],
  ['a key that every object has', { datasets: { d: { keys: ['constructor'], gauges } } }, 'constructor'],
  ['a key that is a parameter', { datasets: { d: { keys: ['from'], gauges } } }, 'must not be called from'],
  [
    'a source that is a parameter',
    { datasets: { d: { keys: ['a'], source: 'view', gauges } } },
    'must not be called view',
  ],
  [
    'a gauge that is a field of answers',
    { datasets: { d: { keys: ['a'], gauges: { messages: {} } } } },
    'must not be called messages',
  ],
  [
    'a unit that turns the direction of writing',
    { datasets: { d: { keys: ['a'], gauges: { x: { unit: '\u202e%' } } } } },
    'datasets.d.gauges.x: unit must be without characters that turn',
  ],
  ['a view of no dataset', { views: { v: { key: ['a'] } } }, 'dataset is missing'],
  ['a misspelt field', { datasets: { d: { key: ['a'], keys: ['a'], gauges } } }, 'there is no field key'],
  [
    'bounds that cross',
    { datasets: { d: { keys: ['a'], gauges: { x: { min: 2, max: 1 } } } } },
    'min below max',
  ],
  ['an unknown dataset', { views: { v: { dataset: 'none', key: ['a'] } } }, 'there is no dataset none'],
  ['an unknown key', { views: { v: { dataset: 'host', key: ['a'] } } }, 'host has no key a'],
  [
    'a bad bucket',
    { views: { v: { dataset: 'host', key: ['host'], bucket: '7m' } } },
    'bucket must divide an hour',
  ],
  [
    'a table that exists',
    { views: { messages: { dataset: 'host', key: ['host'] } } },
    'another table of the lake is called messages',
  ],
]
for (const [what, tables, sentence] of wrong) {
  test(`${what} is refused by name`, () => {
    expect(() => withTables(builtIn, tables)).toThrow(sentence)
  })
}

test('a definition survives as text, and its hash changes with its meaning', () => {
  expect(parseDefinition(definitionJson(serviceMinute))).toEqual(serviceMinute)
  const scaled = serviceMinute.gauges.map((gauge) => ({ ...gauge, scale: 100 }))
  const others = [{ ...serviceMinute, gauges: scaled }, { ...serviceMinute, bucketMs: DAY_MS }, hostMinute]
  expect(new Set([serviceMinute, ...others].map(definitionHash)).size).toBe(4)
})

test('the form of messages survives as text, and nothing else is one', () => {
  expect(parseForm(formText(formOf(scores)))).toEqual(formOf(scores))
  for (const text of ['', '{}', '[1,[],null,[],[]]', '["a",[],null,[]]', '["a",[1],null,[],[]]'])
    expect(parseForm(text)).toBeNull()
})

test('messages written before an optional gauge or an attribute came read as without', () => {
  const before = {
    ...scores,
    gauges: scores.gauges.filter(({ name }) => name !== 'writing'),
    attributes: [],
  }
  const message = { names: ['a', 'b'], timeMs: 1, gauges: [1, 2], agent: null, seq: null }
  const fitted = fitTo(toColumns(before, [message]), scores)
  expect(messageAt(fitted, 0)).toEqual({ ...message, gauges: [1, 2, Number.NaN], attributes: [null] })
})

test('messages of other columns are refused by name', () => {
  expect(misfit(formOf(host), scores)).toBe('they are of dataset host, not scores')
  const other = { ...scores, gauges: scores.gauges.slice(1) }
  expect(misfit(formOf(other), scores)).toBe('they lack math')
  expect(misfit(formOf(scores), other)).toBe('they have math, which scores does not have')
  expect(() => fitTo(toColumns({ ...scores, source: 'x' }, []), scores)).toThrow('their keys and source')
})
