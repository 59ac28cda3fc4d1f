import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PlantedBug } from './bug.ts'
import { type Edit, editsOf, patternOf } from './change.ts'
import { functionsOf, parse } from './syntax.ts'

export const ROOT = join(import.meta.dirname, '../../..')
/** Folders whose code the simulator runs. */
const FOLDERS = ['schemas', 'agent', 'collector', 'log', 'lake', 'batch', 'speed', 'serving', 'cli']

/** A file of the sources. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** A bug's place in one file. */
interface Place extends Edit {
  readonly path: string
  readonly name: string
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

/**
 * The files that the bugs change, with all of them planted: each sleeps until `wake` names it. Throws for one that fits no
 * place of the sources, or more than one.
 */
export function plantBugs(
  bugs: { readonly [name: string]: PlantedBug },
  files: readonly SourceFile[],
): SourceFile[] {
  const places = Object.entries(bugs).map(([name, bug]) => placeOf(name, bug, files))
  return files.flatMap(({ path, text }) => {
    const here = places.filter((place) => place.path === path).sort(outermostFirst)
    if (here.length === 0) return []
    const planted = planting(text, { start: 0, end: text.length }, here)
    parse(path, planted)
    return [{ path, text: planted }]
  })
}

/** From now on this bug, and no other, is awake in this process; null: none. */
export function wake(name: string | null): void {
  ;(globalThis as { awake?: string | null }).awake = name
}

function placeOf(name: string, bug: PlantedBug, files: readonly SourceFile[]): Place {
  const names = [bug.in, patternOf(bug.change)].join(' ').match(/[\w$]+/g)!
  const found = files
    .filter(({ text }) => names.every((one) => text.includes(one)))
    .flatMap(({ path, text }) =>
      functionsOf(parse(path, text), bug.in)
        .flatMap((body) => editsOf(bug.change, body, text))
        .map((edit) => ({ ...edit, path, name })),
    )
  const [first] = found
  if (first === undefined || found.length > 1) {
    const where = found.map(({ path }) => path).join(', ') || 'nowhere'
    throw new Error(`${JSON.stringify(bug.change)} must fit one place in ${bug.in}, and fits ${where}`)
  }
  return first
}

/** What comes before a statement stands before all that begins there; then the longer one, which the others are a part of. */
function outermostFirst(a: Place, b: Place): number {
  const isBefore = ({ start, end }: Place) => Number(start === end)
  return a.start - b.start || isBefore(b) - isBefore(a) || b.end - a.end
}

/** The text of a range with the bugs that lie in it, each beside what it changes. */
function planting(text: string, range: { start: number; end: number }, places: readonly Place[]): string {
  let planted = ''
  let at = range.start
  for (const [i, place] of places.entries()) {
    if (place.start < at) continue
    const within = places.slice(i + 1).filter(({ end }) => end <= place.end)
    const sound = planting(text, place, within)
    planted +=
      text.slice(at, place.start) + place.beside(`globalThis.awake === ${JSON.stringify(place.name)}`, sound)
    at = place.end
  }
  return planted + text.slice(at, range.end)
}
