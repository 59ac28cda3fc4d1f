import { expect, test } from 'vitest'
import { PLANTED_IN_CLUSTER } from './planted/cluster.ts'
import { PLANTED } from './planted/planted.ts'
import type { Change, PlantedBug } from './planting/bug.ts'
import { plantable, plantBug } from './planting/plant-bug.ts'
import { parse } from './planting/syntax.ts'

const BUGS = Object.entries<PlantedBug>({ ...PLANTED, ...PLANTED_IN_CLUSTER })
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

/** The source with a change of one function, without what layout may add. */
function planted(name: string, change: Change, text = SOURCE): string {
  const bug = { in: name, change, seed: 1 }
  return plantBug(bug, [{ path: 'store.ts', text }]).text.replace(/\s+/g, ' ')
}

test.each(BUGS)('%s: it fits one place of the sources, and changes it', (_, bug) => {
  const { path, text } = plantBug(bug, files)
  const before = files.find((file) => file.path === path)!
  expect(text).not.toBe(before.text)
})

test('a bug stays planted when the code moves to another file', () => {
  const bug = PLANTED['ack before sync']
  const { path, text } = plantBug(bug, files)
  const moved = files.map((file) => (file.path === path ? { ...file, path: `log/${path}` } : file))
  expect(plantBug(bug, moved)).toEqual({ path: `log/${path}`, text })
})

test.each([
  [{ drop: 'this.file.sync()' }, 'durable. ; if'],
  [{ replace: 'LIMIT', with: '2 * $' }, 'this.size > 2 * LIMIT'],
  [{ argument: 'Math.max', with: '$ - 1' }, 'Math.max(end - 1, 0)'],
  [{ condition: 'bytes.length > 0', with: 'false' }, "if (false) throw new Error('full')"],
  [{ returned: 'Math', with: 'end' }, 'return end }'],
  [{ value: 'end', with: '0' }, 'const end = 0 this.size'],
  [{ value: 'this.size', with: '0' }, 'this.size = 0 return'],
  [{ before: 'Math', with: 'end()' }, 'this.size = end end() return'],
] as const)('the change %o is made, however the code is laid out', (change, text) => {
  expect(planted('Store.#write', change)).toContain(text)
})

test('a function that is a value has its name', () => {
  expect(planted('write', { argument: 'Store', with: '0' })).toContain('new Store(0)')
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
  expect(planted('f', { replace: 'size', with: '0' }, text)).toContain('{ size: this.size, of: 0 }')
  expect(parse('f.ts', text).type).toBe('Program')
})
