import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../..')
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')
const ENTRY = 'cli/agent-package/entry.js'
const COMPILED = ['cli/agent-package/main.js', 'cli/node-flags.js']

/** Files of the package that are not compiled, by where they lie in the project. */
const BESIDE = {
  [ENTRY]: ENTRY,
  'cli/agent-package/README.md': 'README.md',
  LICENSE: 'LICENSE',
}

/** What the package has in common with the project. */
interface Manifest {
  readonly version: string
  readonly license: string
  readonly dependencies: { readonly systeminformation: string }
}

/**
 * Builds the package into a folder: the sources that its entry reaches, as JavaScript and laid out as in the project, so
 * that cli/version.ts finds the package's manifest where it finds the project's.
 */
export async function buildAgentPackage(dir: string): Promise<void> {
  const compiled = await mkdtemp(join(tmpdir(), 'tidemark-compiled-'))
  try {
    await promisify(execFile)(process.execPath, [TSC, '-p', import.meta.dirname, '--outDir', compiled])
    const wanted = new Set<string>()
    for (const path of COMPILED) await reach(compiled, path, wanted)
    for (const path of wanted) await copy(join(compiled, path), join(dir, path))
  } finally {
    await rm(compiled, { recursive: true })
  }
  for (const [from, to] of Object.entries(BESIDE)) await copy(join(ROOT, from), join(dir, to))
  const project = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
  await writeFile(join(dir, 'package.json'), `${JSON.stringify(manifestOf(project), null, 2)}\n`)
}

/** Adds the file and those that it imports. The compiler also writes those of which only types are used. */
async function reach(dir: string, path: string, found: Set<string>): Promise<void> {
  if (found.has(path)) return
  found.add(path)
  const text = await readFile(join(dir, path), 'utf8')
  for (const [, target] of text.matchAll(/(?:\bfrom|^import|\bimport\() ?'(\.[^']+\.js)'/gm))
    await reach(dir, join(dirname(path), target!), found)
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await copyFile(from, to)
}

function manifestOf({ version, license, dependencies }: Manifest): object {
  return {
    name: 'tidemark-agent',
    version,
    description:
      "Samples this host's CPU, RAM and disk and sends them to a Tidemark collector, each message once",
    license,
    type: 'module',
    engines: { node: '>=18.13' },
    bin: { 'tidemark-agent': ENTRY },
    dependencies: { systeminformation: dependencies.systeminformation },
  }
}
