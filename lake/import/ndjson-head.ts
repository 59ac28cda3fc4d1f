import type { ImportColumn } from './columns.ts'

const SAMPLES_MAX = 50
/** Objects within objects are looked into so deep. */
const DEPTH_MAX = 8

/**
 * The fields of objects, in the order in which they come; those of objects within are called as `host.name`. Lists are texts.
 */
export function fieldsOfObjects(objects: Iterable<object>): ImportColumn[] {
  const columns = new Map<string, { name: string; samples: string[] }>()
  for (const object of objects)
    for (const { name, pointer, value } of leaves(object, '', '', 1)) {
      const column = columns.get(pointer) ?? { name, samples: [] }
      columns.set(pointer, column)
      if (value !== null && value !== '' && column.samples.length < SAMPLES_MAX)
        column.samples.push(typeof value === 'object' ? JSON.stringify(value) : String(value))
    }
  const used = new Set<string>()
  return [...columns].flatMap(([pointer, { name, samples }]) => {
    if (used.has(name)) return []
    used.add(name)
    return [{ name, type: 'VARCHAR', samples, pointer }]
  })
}

function* leaves(
  object: object,
  above: string,
  pointerAbove: string,
  depth: number,
): Generator<{ name: string; pointer: string; value: unknown }> {
  for (const [key, value] of Object.entries(object) as [string, unknown][]) {
    const name = above === '' ? key : `${above}.${key}`
    const pointer = `${pointerAbove}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (isObject(value) && depth < DEPTH_MAX) yield* leaves(value, name, pointer, depth + 1)
    else yield { name, pointer, value }
  }
}

/**
 * The objects in the head of a file with one a line. Null where most of its lines are none: it is one document then, whose lines mean
 * nothing alone.
 */
export function objectsOfLines(text: string, isWhole: boolean): object[] | null {
  const lines = text.replace(/^\ufeff/, '').split('\n')
  const whole = (isWhole ? lines : lines.slice(0, -1)).filter((line) => line.trim() !== '')
  const objects = whole.flatMap((line) => objectIn(line) ?? [])
  return objects.length === 0 || objects.length < whole.length / 2 ? null : objects
}

/** The field of a document that holds its rows; null where an object is one itself, as its numbers show. */
export function rowsWithin(document: object): string | null {
  const fields = Object.entries(document) as [string, unknown][]
  if (fields.some(([, value]) => typeof value === 'number')) return null
  const found = fields.find(
    ([name, value]) => /^\w+$/.test(name) && Array.isArray(value) && value.some(isObject),
  )
  return found?.[0] ?? null
}

/** The object that a text is; null for any other. */
export function objectIn(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
