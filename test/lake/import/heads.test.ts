import { expect, test } from 'vitest'
import { fieldsOf, readCsvHead } from '../../../lake/import/csv-head.ts'
import { mappedColumn } from '../../../lake/import/mapped.ts'
import { fieldsOfObjects, objectsOfLines } from '../../../lake/import/ndjson-head.ts'
import { numberMarks } from '../../../lake/import/number-marks.ts'
import { textHead } from '../../../lake/import/text-head.ts'
import { guessTimeForm } from '../../../lake/import/times.ts'

const read = (text: string, header: readonly string[] | null = null) =>
  readCsvHead(text, { isWhole: true, header })
const namesOf = (text: string) => read(text)?.columns.map(({ name }) => name)
const formOf = (text: string) => read(text)?.form

test('fields are read as RFC 4180 writes them', () => {
  expect(fieldsOf('a,"b,c","d ""e""",', ',')).toEqual(['a', 'b,c', 'd "e"', ''])
  expect(fieldsOf('', ',')).toEqual([''])
  expect(fieldsOf('"never closed,x', ',')).toEqual(['never closed,x'])
})

test('a header is found behind a byte-order mark, empty lines and comments', () => {
  expect(namesOf('\ufeffa;b\r\n1;2\r\n')).toEqual(['a', 'b'])
  expect(formOf('\n\na,b\n1,2\n')).toEqual({ delimiter: ',', quoteEscape: '"', skip: 3, comments: false })
  const annotated = '#datatype,string,double\n#default,,\n,_time,cpu\n,2026-11-22T10:00:00Z,1\n'
  expect(namesOf(annotated)).toEqual(['column 1', '_time', 'cpu'])
  expect(formOf(annotated)).toEqual({ delimiter: ',', quoteEscape: '"', skip: 1, comments: true })
})

test('a header that is a comment is one where it fits its rows', () => {
  const sadf = '# hostname;interval;timestamp\nweb-1;600;2026-11-22 10:10:01 UTC\n'
  expect(namesOf(sadf)).toEqual(['hostname', 'interval', 'timestamp'])
  expect(formOf(sadf)).toEqual({ delimiter: ';', quoteEscape: '"', skip: 0, comments: true })
  expect(namesOf('# made by hand\na,b\n1,2\n')).toEqual(['a', 'b'])
})

test('each column has a name of its own', () => {
  expect(namesOf('x,,x\n1,2,3\n')).toEqual(['x', 'column 2', 'x 2'])
  expect(read('')).toBe(null)
  expect(read('# nothing\n')).toBe(null)
})

test('the last line counts where the head is the whole file', () => {
  const samples = (isWhole: boolean) =>
    readCsvHead('a,b\n1,2\n3,4', { isWhole, header: null })!.columns.map((column) => column.samples)
  expect(samples(true)).toEqual([
    ['1', '3'],
    ['2', '4'],
  ])
  expect(samples(false)).toEqual([['1'], ['2']])
})

test('a first line with a time and a number is a row, unless a person names the columns', () => {
  expect(read('2026-11-22T10:00:00Z,web,1\n')!.isRow).toBe(true)
  expect(read('time,web,cpu\n2026-11-22T10:00:00Z,web,1\n')!.isRow).toBe(false)
  const named = read('2026-11-22T10:00:00Z,web,1\n', ['time', 'service', 'cpu'])!
  expect(named).toMatchObject({ isRow: false, form: { skip: 0 } })
  expect(named.columns.map(({ name, samples }) => [name, ...samples])).toEqual([
    ['time', '2026-11-22T10:00:00Z'],
    ['service', 'web'],
    ['cpu', '1'],
  ])
})

test('the fields of JSON lines are those of all of them, also of torn ones', () => {
  const objects = objectsOfLines('{"a":1,"b":null}\nnot json\n[1]\n{"c":"x","a":2}\n{"d":', false)!
  expect(fieldsOfObjects(objects).map(({ name, samples }) => [name, samples])).toEqual([
    ['a', ['1', '2']],
    ['b', []],
    ['c', ['x']],
  ])
})

test('fields of objects within objects are found, lists are texts', () => {
  const object = { host: { name: 'h', ip: ['1', '2'] }, 'a/b': { '~': 1 }, 'host.name': 'other' }
  expect(fieldsOfObjects([object]).map(({ name, pointer, samples }) => [name, pointer, samples])).toEqual([
    ['host.name', '/host/name', ['h']],
    ['host.ip', '/host/ip', ['["1","2"]']],
    ['a/b.~', '/a~1b/~0', ['1']],
  ])
})

test('a document of many lines holds no objects of its own', () => {
  expect(objectsOfLines('{\n  "rows": [\n    {"a": 1},\n    {"a": 2}\n  ]\n}\n', true)).toBe(null)
})

test.each([
  ['UTF-8', Buffer.from('a;Kübel\n'), 'utf-8'],
  ['UTF-8 that is cut off', Buffer.from('a;Kü').subarray(0, -1), 'utf-8'],
  ['UTF-8 with a wrong byte', Buffer.concat([Buffer.from('Kübel'), Buffer.from([0xff])]), 'utf-8'],
  ['UTF-16', Buffer.from('\ufeffa;Kübel\n', 'utf16le'), 'utf-16le'],
  ['UTF-16, high byte first', Buffer.from('\ufeffa\n', 'utf16le').swap16(), 'utf-16be'],
  ['Latin-1', Buffer.from('a;Kübel\n', 'latin1'), 'windows-1252'],
] as const)('text is known by its bytes: %s', (_, bytes, encoding) => {
  expect(textHead(bytes).encoding).toBe(encoding)
})

test.each([
  ['2026-11-22T10:00:00Z', { kind: 'zoned' }],
  ['2026-11-22 10:00:00 UTC', { kind: 'zoned' }],
  ['2026-11-22T10:00:00.123456789+01', { kind: 'zoned' }],
  ['2026-11-22 10:00', { kind: 'local' }],
  ['1795341600', { kind: 'number', unit: 's' }],
  ['1795341600.5', { kind: 'number', unit: 's' }],
  ['1795341600000', { kind: 'number', unit: 'ms' }],
  ['1795341600000000', { kind: 'number', unit: 'us' }],
  ['1795341600000000000', { kind: 'number', unit: 'ns' }],
  ['22.11.2026 10:00', { kind: 'format' }],
  ['11/22/2026', { kind: 'format' }],
  ['11/22/2026 10:00:00 AM', { kind: 'format' }],
  ['11/22/2026 10:00:00.123', { kind: 'format' }],
  ['05/06/2026 10:00', 'ambiguous'],
  ['10', null],
  ['yesterday', null],
])('times like %s are known', (text, form) => {
  const guessed = guessTimeForm([text])
  if (typeof form === 'string' || form === null) expect(guessed).toBe(form)
  else expect(guessed).toMatchObject(form)
})

test('most of the first values say how times are written', () => {
  const [zoned, local] = ['2026-11-22T10:00:00Z', '2026-11-22 10:00:00']
  expect(guessTimeForm([zoned, zoned, '-'])).toEqual({ kind: 'zoned' })
  expect(guessTimeForm([zoned, local])).toEqual({ kind: 'mixed' })
  expect(guessTimeForm([zoned, '-', 'x'])).toBe(null)
  expect(guessTimeForm(['1795341600', 'time', '1795341601'])).toEqual({ kind: 'number', unit: 's' })
})

test.each([
  ['%idle', { name: '%idle', arithmetic: null }],
  ['100-%idle', { name: '%idle', arithmetic: { from: 100, times: 1 } }],
  ['pct*100', { name: 'pct', arithmetic: { from: null, times: 100 } }],
  ['100-idle-pct*100', { name: 'idle-pct', arithmetic: { from: 100, times: 100 } }],
  ['100-known', { name: '100-known', arithmetic: null }],
])('a person may reckon with a column: %s', (said, mapped) => {
  expect(mappedColumn(said, [{ name: '%idle' }, { name: '100-known' }])).toEqual(mapped)
})

test.each([
  [['1,5', '1.234,5', '7'], 'comma'],
  [['1 234,5'], 'comma'],
  [['1\u202f234,5', '2,5 %'], 'comma'],
  [['1,234'], 'comma'],
  [['1.234', '1,5'], 'comma'],
  [['1.5', '2'], 'none'],
  [['1,5', '1.5'], 'none'],
  [['12 %', '7'], 'none'],
  [['1.234'], 'none'],
  [['1,234.5', '12'], 'grouped'],
  [['1,234', '1.5'], 'grouped'],
  [['1,234,567', '12,345'], 'grouped'],
  [["1'234.5"], 'grouped'],
  [['1 234'], 'grouped'],
] as const)('numbers like %s are written with the marks: %s', (samples, marks) => {
  expect(numberMarks(samples)).toBe(marks)
})
