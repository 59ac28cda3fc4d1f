import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FOLDERS, ROOT, type Source, sources } from './sources.ts'

/** Who may import whom. What layers ask of each other goes through the ports in schemas. */
const MAY_IMPORT: { readonly [folder: string]: readonly string[] } = {
  schemas: [],
  log: ['schemas'],
  agent: ['schemas'],
  lake: ['schemas', 'log'],
  collector: ['schemas', 'log'],
  speed: ['schemas', 'log', 'lake'],
  batch: ['schemas', 'lake'],
  serving: ['schemas', 'lake'],
  pages: [],
}

const all = sources()

test('folders import only what the table allows', () => {
  const wrong = all.flatMap(({ path, folder, imports }) => {
    const allowed = MAY_IMPORT[folder]
    if (allowed === undefined) return []
    return imports
      .filter((target) => ![folder, ...allowed].includes(target.split('/')[0]!))
      .map((target) => `${path} imports ${target}; ${folder} may import ${allowed.join(', ') || 'nothing'}`)
  })
  expect(wrong).toEqual([])
})

test('no file imports itself by way of others', () => {
  const byPath = new Map(all.map((source) => [source.path, source]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (source: Source, way: readonly string[]) => {
    if (way.includes(source.path))
      cycles.push([...way.slice(way.indexOf(source.path)), source.path].join(' → '))
    if (done.has(source.path) || way.includes(source.path)) return
    for (const target of source.imports) {
      const next = byPath.get(target)
      if (next) visit(next, [...way, source.path])
    }
    done.add(source.path)
  }
  for (const source of all) visit(source, [])
  expect(cycles).toEqual([])
})

/** What only the composition root may touch, and what to use instead. */
const BANNED: readonly { pattern: RegExp; use: string; except?: RegExp }[] = [
  { pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/, use: 'the clock that is passed in' },
  { pattern: /\bsetTimeout\(|\bsetInterval\(/, use: 'clock.after' },
  { pattern: /\bMath\.random\(|\brandomBytes\(|\brandomUUID\(/, use: 'the Random that is passed in' },
  { pattern: /\bprocess\.(env|argv|exit|on|stdout|stderr|cwd)\b/, use: 'what cli passes in' },
  { pattern: /\bconsole\./, use: 'logLine' },
  {
    pattern: /from 'node:(fs|fs\/promises|net|http|child_process)'/,
    use: 'the Disk or Net that is passed in',
  },
  { pattern: /\.toSorted\(\)|\.localeCompare\(/, use: 'compareUtf8 or an explicit comparison' },
]

/** A line for a person to type into a shell is no code of a layer. */
const TYPED = /^.*'node -e .*$/gm

test('layers take time, randomness, environment, disk and sockets from outside', () => {
  const wrong = all
    // Pages run in a browser, whose clock and sockets are its own.
    .filter(({ folder }) => folder in MAY_IMPORT && folder !== 'pages')
    .flatMap(({ path, text }) =>
      BANNED.filter(({ pattern }) => pattern.test(text.replace(TYPED, ''))).map(
        ({ pattern, use }) => `${path}: ${pattern.source}; use ${use}`,
      ),
    )
  expect(wrong).toEqual([])
})

test('the kernel needs no package and does no I/O', () => {
  const wrong = all
    .filter(({ folder }) => folder === 'schemas')
    .flatMap(({ path, packages }) =>
      packages.filter((name) => name !== 'node:crypto').map((name) => `${path} imports ${name}`),
    )
  expect(wrong).toEqual([])
})

test('files have the names of things, not of drawers', () => {
  const drawers = /(^|\/)(utils?|helpers?|common|misc|managers?|services?|index)(\.tsx?|\/)/
  const allowed = /^(test\/)?serving\/index\//
  expect(all.map(({ path }) => path).filter((path) => drawers.test(path) && !allowed.test(path))).toEqual([])
})

test('no file grows beyond what can be read at once', () => {
  const long = all.filter(({ path, text }) => !path.startsWith('test/') && text.split('\n').length > 400)
  expect(long.map(({ path }) => path)).toEqual([])
})

test('the top of the project holds what its map says', () => {
  const known = [
    'agent',
    'batch',
    'bench',
    'cli',
    'collector',
    'deploy',
    'docs',
    'lake',
    'log',
    'pages',
    'schemas',
    'serving',
    'speed',
    'test',
  ]
  const folders = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .filter((name) => !['node_modules', 'data', 'test-results'].includes(name))
  expect(folders.sort()).toEqual(known)
})

test('an image is built of the sources and of nothing else that lies beside them', () => {
  const lines = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n')
  expect(lines.find((line) => line !== '' && !line.startsWith('#'))).toBe('*')
  const letIn = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  const files = ['LICENSE', 'package.json', 'package-lock.json', 'tsconfig.json']
  const sources = FOLDERS.filter((folder) => folder !== 'bench' && folder !== 'test')
  expect(letIn.sort()).toEqual([...files, ...sources].sort())
})
