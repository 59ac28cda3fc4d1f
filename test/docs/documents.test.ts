import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { settingsMarkdown } from '../../cli/commands/config.ts'
import { COMMANDS } from '../../cli/main.ts'
import { parseCommandArgs } from '../../cli/parse.ts'
import { host } from '../../schemas/datasets/host.ts'
import { withTables } from '../../schemas/definitions.ts'
import { ROOT } from '../code/sources.ts'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const documents = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** The command lines of all documents: `tidemark …` after npm run or by itself, in blocks and examples. */
function commandLines(text: string): string[][] {
  return [...text.matchAll(/^ {4}(?:npm run -s tidemark --|tidemark) (.+)$/gm)].map((match) =>
    match[1]!.trim().split(/\s+/),
  )
}

test('every command line in the documents is one that the program takes', () => {
  const lines = documents.flatMap((path) => commandLines(read(path)))
  expect(lines.length).toBeGreaterThan(5)
  for (const [name, ...args] of lines) {
    if (name === '--help') continue
    const command = COMMANDS.find((one) => one.name === name)
    expect(command, name).toBeDefined()
    parseCommandArgs(command!, args)
  }
})

test("every command's example is one that the program takes", () => {
  for (const command of COMMANDS) {
    const [program, name, ...args] = command.example.split(/\s+/)
    expect([program, name]).toEqual(['tidemark', command.name])
    parseCommandArgs(command, args)
  }
})

test('every command is named in the README', () => {
  const readme = read('README.md')
  for (const { name } of COMMANDS) {
    if (name !== 'collector') expect(readme, name).toMatch(new RegExp(`tidemark -- ${name}|npm start`))
  }
})

test('the table of settings is the one that the program prints', () => {
  const [, table] = /<!-- settings[^>]*-->\n([\s\S]*?)<!-- \/settings -->/.exec(read('docs/operations.md'))!
  expect(table).toBe(settingsMarkdown())
})

test('the first command stands within the first screen of the README', () => {
  const at = read('README.md').split('\n').indexOf('    npm ci && npm start')
  expect(at).toBeGreaterThan(0)
  expect(at).toBeLessThan(12)
})

test('links between documents lead somewhere', () => {
  const broken = documents.flatMap((path) =>
    [...read(path).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map((match) => match[1]!)
      .filter((target) => !existsSync(join(ROOT, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  )
  expect(broken).toEqual([])
})

test('architecture.md stays readable', () => {
  expect(read('docs/architecture.md').split('\n').length).toBeLessThan(200)
})

test('the example of datasets and views is one that the program takes', () => {
  const [, toml] = /```toml\n([\s\S]*?)```/.exec(read('docs/operations.md'))!
  const { datasets, views } = withTables({ datasets: [host], views: [] }, parse(toml!))
  expect(datasets.map(({ name }) => name)).toEqual(['host', 'sensors'])
  expect(views.map(({ name }) => name)).toEqual(['sensors_hour', 'host_minute'])
})
