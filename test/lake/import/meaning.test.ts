import { expect, test } from 'vitest'
import type { ImportSource } from '../../../lake/import/columns.ts'
import { isGuessed, meaningOf } from '../../../lake/import/meaning.ts'
import type { ImportOptions } from '../../../lake/import/named-column.ts'
import { host } from '../../../schemas/datasets/host.ts'

const NOTHING: ImportOptions = { map: {}, set: {}, timeFormat: null, zone: 'UTC', header: null }

/** A CSV file with these columns; those of times have one. */
function file(...names: string[]): ImportSource {
  const columns = names.map((name) => ({
    name,
    type: 'VARCHAR',
    samples: /time|when/i.test(name) ? ['2026-11-22T10:00:00Z'] : ['1'],
  }))
  return {
    format: 'csv',
    compression: 'none',
    columns,
    csv: { delimiter: ',', quoteEscape: '"', skip: 1, comments: false },
  }
}

const origins = (source: ImportSource, options: Partial<ImportOptions> = {}) => {
  const { names, time, gauges } = meaningOf(source, host, { ...NOTHING, ...options })
  return [...names, time, ...gauges].map((origin) => {
    if (origin === null) return null
    return 'constant' in origin ? `=${origin.constant}` : origin.column.name
  })
}

test('columns of the same name are taken, and nothing is guessed', () => {
  const source = file('service', 'host', 'time_stamp', 'cpu', 'ram', 'disk', 'more')
  expect(origins(source)).toEqual(['service', 'host', 'time_stamp', 'cpu', 'ram', 'disk'])
  expect(isGuessed(meaningOf(source, host, NOTHING))).toBe(false)
})

test('columns that are called so elsewhere are guessed', () => {
  const source = file('Timestamp', 'hostname', 'app', 'CPU (%)', '%memused', 'disk_used_percent')
  expect(origins(source)).toEqual([
    'app',
    'hostname',
    'Timestamp',
    'CPU (%)',
    '%memused',
    'disk_used_percent',
  ])
  expect(isGuessed(meaningOf(source, host, NOTHING))).toBe(true)
})

test('what is said goes before what is guessed', () => {
  const source = file('when', 'a', 'cpu', 'ram', 'disk')
  const options = { map: { cpu: 'a', time_stamp: 'when' }, set: { service: 'web', disk: '0' } }
  expect(origins(source, options)).toEqual(['=web', '=import', 'when', 'a', 'ram', '=0'])
})

test('what is to be done about columns that are missing is said for all at once', () => {
  const error = (() => {
    try {
      return meaningOf(file('when', 'cpu'), host, NOTHING)
    } catch (thrown) {
      return thrown
    }
  })()
  expect(error).toMatchObject({
    hint: 'say --map service=COLUMN,ram=COLUMN,disk=COLUMN, or --set service=VALUE,ram=VALUE,disk=VALUE for a value that all rows have',
  })
})

test('a column of names is no gauge, whatever it is called', () => {
  const source = file('service', 'time', 'cpu', 'usage_active', 'ram', 'disk')
  const columns = source.columns.map((column) =>
    column.name === 'cpu' ? { ...column, samples: ['cpu-total'] } : column,
  )
  expect(origins({ ...source, columns })[3]).toBe('usage_active')
})

test('a load is what is left of what is idle, in percent alone', () => {
  const source = file('service', 'time', '%idle', 'ram', 'disk')
  const idle = (...samples: string[]) => ({
    ...source,
    columns: source.columns.map((column) => (column.name === '%idle' ? { ...column, samples } : column)),
  })
  const { gauges } = meaningOf(idle('98.5', '0.5'), host, NOTHING)
  expect(gauges[0]).toMatchObject({ by: 'guess', arithmetic: { from: 100, times: 1 } })
  expect(() => meaningOf(idle('0.98', '1'), host, NOTHING)).toThrow('no column is cpu; the file has')
})

test('bytes are no share, unless they are called as the gauge is', () => {
  const bytes = (...names: string[]) => {
    const source = file(...names)
    const columns = source.columns.map((column) =>
      /ram|mem/.test(column.name) ? { ...column, samples: ['4096'] } : column,
    )
    return { ...source, columns }
  }
  expect(origins(bytes('service', 'time', 'cpu', 'ram', 'disk'))[4]).toBe('ram')
  expect(() => origins(bytes('service', 'time', 'cpu', 'mem_used', 'disk'))).toThrow(
    'no column is ram; the file has mem_used,',
  )
})

test('the only column with times is the time', () => {
  expect(origins(file('service', 'cpu', 'ram', 'disk', 'when'))[2]).toBe('when')
})

test.each<[string, ImportSource, Partial<ImportOptions>]>([
  ['no column is service; the file has time, cpu, ram, disk', file('time', 'cpu', 'ram', 'disk'), {}],
  ['no column is disk', file('service', 'time', 'cpu', 'ram'), {}],
  ['no column is service or time_stamp or ram or disk; the file has cpu', file('cpu'), {}],
  [
    '--map host=h*100: only numbers of gauges',
    file('service', 'h', 'time', 'cpu', 'ram', 'disk'),
    { map: { host: 'h*100' } },
  ],
  ['no column is time_stamp', file('service', 'cpu', 'ram', 'disk'), {}],
  ['--map cpu=b: the file has service', file('service', 'time', 'cpu', 'ram', 'disk'), { map: { cpu: 'b' } }],
  ['--map cup: dataset host has service, host', file('time'), { map: { cup: 'time' } }],
  ['--set cpu=much is no value', file('service', 'time', 'ram', 'disk'), { set: { cpu: 'much' } }],
  ['--set service=.. is no value', file('time', 'cpu', 'ram', 'disk'), { set: { service: '..' } }],
])('%s', (words, source, options) => {
  expect(() => meaningOf(source, host, { ...NOTHING, ...options })).toThrow(words)
})

test('rows of a view are no messages, unless a column is named for a gauge', () => {
  const view = file('service', 'time_stamp', 'cpu', 'ram', 'disk', 'max_cpu_time', 'max_cpu', 'msg_num')
  expect(() => meaningOf(view, host, NOTHING)).toThrow(/those of a view/)
  expect(origins(view, { map: { cpu: 'max_cpu' } })[3]).toBe('max_cpu')
})
