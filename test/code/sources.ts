import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')
export const FOLDERS = [
  'schemas',
  'agent',
  'collector',
  'log',
  'lake',
  'batch',
  'speed',
  'serving',
  'pages',
  'cli',
  'bench',
  'test',
] as const

export interface Source {
  /** Path from the project's root. */
  readonly path: string
  readonly folder: string
  readonly text: string
  /** Paths of the project's files that it imports. */
  readonly imports: readonly string[]
  /** Packages and node modules that it imports. */
  readonly packages: readonly string[]
}

/** Every TypeScript file of the project. */
export function sources(): Source[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name) && !name.startsWith('dist/'))
      .map((name) => source(join(folder, name))),
  )
}

function source(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const named = [
    ...text.matchAll(/^(?:import|export)\b[^'"]*?from '([^']+)'/gm),
    ...text.matchAll(/^import '([^']+)'/gm),
  ]
  const dynamic = [...text.matchAll(/\bimport\('([^']+)'\)/g)]
  const all = [...named, ...dynamic].map((match) => match[1]!)
  return {
    path,
    folder: path.split('/')[0]!,
    text,
    imports: all
      .filter((name) => name.startsWith('.'))
      .map((name) => relative(ROOT, join(ROOT, dirname(path), name))),
    packages: all.filter((name) => !name.startsWith('.')),
  }
}
