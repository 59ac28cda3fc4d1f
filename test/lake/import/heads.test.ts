import { expect, test } from 'vitest'
import { fieldsOf, readCsvHead } from '../../../lake/import/csv-head.ts'
import { readNdjsonHead } from '../../../lake/import/ndjson-head.ts'
import { hasDecimalComma } from '../../../lake/import/rows-sql.ts'
import { guessTimeForm } from '../../../lake/import/times.ts'

const namesOf = (text: string) => readCsvHead(text)?.columns.map(({ name }) => name)
const formOf = (text: string) => readCsvHead(text)?.form

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
  expect(readCsvHead('')).toBe(null)
  expect(readCsvHead('# nothing\n')).toBe(null)
})

test('the fields of JSON lines are those of all of them, also of torn ones', () => {
  const columns = readNdjsonHead('{"a":1,"b":null}\nnot json\n[1]\n{"c":"x","a":2}\n{"d":')
  expect(columns.map(({ name, samples }) => [name, samples])).toEqual([
    ['a', ['1', '2']],
    ['b', []],
    ['c', ['x']],
  ])
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
  ['05/06/2026 10:00', 'ambiguous'],
  ['10', null],
  ['yesterday', null],
])('times like %s are known', (text, form) => {
  const guessed = guessTimeForm([text])
  if (typeof form === 'string' || form === null) expect(guessed).toBe(form)
  else expect(guessed).toMatchObject(form)
})

test('a decimal comma is one where every number fits it', () => {
  const column = (...samples: string[]) => ({ name: 'x', type: 'VARCHAR', samples })
  expect(hasDecimalComma(column('1,5', '1.234,5', '7'))).toBe(true)
  expect(hasDecimalComma(column('1.5', '2'))).toBe(false)
  expect(hasDecimalComma(column('1,5', '1.5'))).toBe(false)
})
