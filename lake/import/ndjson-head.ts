import type { ImportColumn } from './columns.ts'

const SAMPLES_MAX = 50

/** The fields of the objects in the head of a file with a JSON object a line, in the order in which they come. */
export function readNdjsonHead(text: string): ImportColumn[] {
  const samples = new Map<string, string[]>()
  for (const line of text.replace(/^\ufeff/, '').split('\n')) {
    const object = objectIn(line)
    for (const [name, value] of Object.entries(object)) {
      const known = samples.get(name) ?? []
      samples.set(name, known)
      if (value !== null && known.length < SAMPLES_MAX) known.push(String(value))
    }
  }
  return [...samples].map(([name, values]) => ({ name, type: 'VARCHAR', samples: values }))
}

/** Empty for a line that is none, as the last one may be, which is cut off. */
function objectIn(line: string): object {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
  } catch {
    return {}
  }
}
