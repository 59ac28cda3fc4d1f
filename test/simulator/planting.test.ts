import { expect, test } from 'vitest'
import { ALL_PLANTED, PLANTED } from './planted/planted.ts'
import type { Change } from './planting/bug.ts'
import { plantable, plantBugs, wake } from './planting/plant-bugs.ts'
import { parse } from './planting/syntax.ts'

const SOURCE = `
class Store {
  async #write(bytes: Uint8Array): Promise<number> {
    // Not before it is durable.
    await this
      .file!.sync( true )
    if ((this.size > LIMIT) && bytes.length > 0) throw new Error('full')
    const end = this.size + bytes.length
    this.size = end
    return Math.max(end, 0)
  }
}
const write = (bytes: Uint8Array) => new Store(bytes.length)
`
const files = plantable()

/** The source with changes of one function, which are made where `bug0`, `bug1` … hold; without what layout may add. */
function planted(name: string, changes: Change | readonly Change[], text = SOURCE): string {
  const bugs = [changes].flat().map((change, n) => [n, { in: name, change, seed: 1 }])
  const [file] = plantBugs(Object.fromEntries(bugs), [{ path: 'store.ts', text }])
  return file!.text.replace(/\s+/g, ' ').replace(/globalThis\.awake === "(\d)"/g, 'bug$1')
}

test.each(Object.entries(ALL_PLANTED))(
  '%s: it fits one place of the sources, and changes it',
  (name, bug) => {
    const [file] = plantBugs({ [name]: bug }, files)
    const before = files.find(({ path }) => path === file!.path)!
    expect(file!.text).not.toBe(before.text)
  },
)

test('a bug stays planted when the code moves to another file', () => {
  const bugs = { one: PLANTED['ack before sync'] }
  const [{ path, text }] = plantBugs(bugs, files) as [(typeof files)[number]]
  const moved = files.map((file) => (file.path === path ? { ...file, path: `log/${path}` } : file))
  expect(plantBugs(bugs, moved)).toEqual([{ path: `log/${path}`, text }])
})

test.each([
  [{ drop: 'this.file.sync()' }, 'durable. { if (!(bug0)) await this .file!.sync( true ) } if'],
  [{ replace: 'LIMIT', with: '2 * $' }, 'this.size > (bug0 ? (2 * LIMIT) : (LIMIT))'],
  [{ argument: 'Math.max', with: '$ - 1' }, 'Math.max(...(bug0 ? [end - 1] : [end]), 0)'],
  [{ condition: 'bytes.length > 0', with: 'false' }, 'if ((bug0 ? (false) : ((this.size > LIMIT) && '],
  [{ returned: 'Math', with: 'end' }, 'return (bug0 ? (end) : (Math.max(end, 0))) }'],
  [{ value: 'end', with: '0' }, 'const end = (bug0 ? (0) : (this.size + bytes.length)) this.size'],
  [{ value: 'this.size', with: '0' }, 'this.size = (bug0 ? (0) : (end)) return'],
  [{ before: 'Math', with: 'end()' }, 'this.size = end { if (bug0) { end() } } return'],
] as const)('the change %o is made while the bug is awake, however the code is laid out', (change, text) => {
  expect(planted('Store.#write', change)).toContain(text)
})

test('several bugs stand in one place, each beside what is sound', () => {
  const changes = [
    { returned: 'Math', with: '0' },
    { argument: 'Math.max', with: '1' },
    { before: 'Math', with: 'end()' },
    { returned: 'Math', with: '$ + 1' },
  ]
  expect(planted('Store.#write', changes)).toContain(
    '{ if (bug2) { end() } } return (bug0 ? (0) : ((bug3 ? (Math.max(end, 0) + 1) : (Math.max(...(bug1 ? [1] : [end]), 0))))) }',
  )
})

test('a bug does nothing until it is woken', () => {
  const text = 'function f() { return 1 }'
  const [file] = plantBugs({ one: { in: 'f', change: { replace: '1', with: '2' }, seed: 1 } }, [
    { path: 'f.ts', text },
  ])
  const f = new Function(`${file!.text}; return f()`)
  const results = [null, 'one', 'other'].map((name) => {
    wake(name)
    return f()
  })
  wake(null)
  expect(results).toEqual([1, 2, 1])
})

test('a function that is a value has its name', () => {
  expect(planted('write', { argument: 'Store', with: '0' })).toContain(
    'new Store(...(bug0 ? [0] : [bytes.length]))',
  )
})

test('a bug that fits no place or two is none', () => {
  expect(() => planted('Store.#write', { drop: 'this.file.close()' })).toThrow('fits nowhere')
  expect(() => planted('Store.#write', { replace: 'bytes.length', with: '0' })).toThrow(
    'fits store.ts, store.ts',
  )
  expect(() => planted('Store.write', { drop: 'this.file.sync()' })).toThrow('fits nowhere')
  expect(() => planted('write', { replace: 'bytes', with: ')' })).toThrow('store.ts: ')
})

test('names of members, parameters and types are no code', () => {
  const text = 'function f(size: size): size { return { size: this.size, of: size } }'
  expect(planted('f', { replace: 'size', with: '0' }, text)).toContain(
    '{ size: this.size, of: (bug0 ? (0) : (size)) }',
  )
  expect(parse('f.ts', text).type).toBe('Program')
})
