import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashName, NameTable } from '../../log/name-table.ts'

/** `name` and what may stand behind it, as it is read. */
function laid(name: string): { view: DataView; to: number } {
  const bytes = new Uint8Array(new TextEncoder().encode(`${name}"${'\0'.repeat(8)}`))
  return { view: new DataView(bytes.buffer, bytes.byteOffset), to: bytes.length - 9 }
}

function read(names: NameTable, name: string): number {
  const { view, to } = laid(name)
  return names.find(view, 0, to, hashName(view, 0, to))
}

/** Names that begin alike, of every length up to three words of eight bytes. */
const name = fc
  .record({ length: fc.integer({ min: 1, max: 24 }), end: fc.constantFrom('', 'a', 'b', 'ü') })
  .map(({ length, end }) => 'x'.repeat(length) + end)

test('in whatever order names come, each keeps its number', () => {
  fc.assert(
    fc.property(fc.array(name, { maxLength: 200 }), (sequence) => {
      const names = new NameTable(1_000)
      const ids = new Map<string, number>()
      for (const text of [...sequence, ...sequence]) {
        const id = read(names, text)
        expect(id).toBe(ids.get(text) ?? ids.size)
        expect(names.text(id)).toBe(text)
        ids.set(text, id)
      }
      expect(names.size).toBe(ids.size)
    }),
  )
})

test('what was not seen for long is forgotten, and the others have new numbers', () => {
  const names = new NameTable(10)
  for (const text of ['old', 'a', 'b']) read(names, text)
  names.now = 5
  read(names, 'a')
  names.touch(read(names, 'b'))
  expect(names.forget(5)).toBe(true)
  expect([names.size, names.text(0), names.text(1)]).toEqual([2, 'a', 'b'])
  expect(['b', 'a', 'old'].map((text) => read(names, text))).toEqual([1, 0, 2])
})
