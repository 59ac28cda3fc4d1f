import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PlantedBug } from './bug.ts'
import { editsOf, patternOf } from './change.ts'
import { functionsOf, parse } from './syntax.ts'

export const ROOT = join(import.meta.dirname, '../../..')
/** Folders whose code the simulator runs. */
const FOLDERS = ['schemas', 'agent', 'collector', 'log', 'lake', 'batch', 'speed', 'serving', 'cli']

/** A file of the sources. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** The sources that the simulator runs, by path from the project's root. */
export function plantable(): SourceFile[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name))
      .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })),
  )
}

/** The one file that the bug changes, with the bug in it; throws when it fits no place of the sources, or more than one. */
export function plantBug(bug: PlantedBug, files: readonly SourceFile[]): SourceFile {
  const names = [bug.in, patternOf(bug.change)].join(' ').match(/[\w$]+/g)!
  const planted = files
    .filter(({ text }) => names.every((name) => text.includes(name)))
    .flatMap(({ path, text }) =>
      functionsOf(parse(path, text), bug.in)
        .flatMap((body) => editsOf(bug.change, body, text))
        .map((edit) => ({ path, text: text.slice(0, edit.start) + edit.text + text.slice(edit.end) })),
    )
  const [first] = planted
  if (first === undefined || planted.length > 1) {
    const where = planted.map(({ path }) => path).join(', ') || 'nowhere'
    throw new Error(`${JSON.stringify(bug.change)} must fit one place in ${bug.in}, and fits ${where}`)
  }
  parse(first.path, first.text)
  return first
}
