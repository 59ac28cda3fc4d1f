import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { buildAgentPackage } from './build.ts'

/** `npm run pack:agent [-- DIR]`: builds the package and packs it into a tarball in DIR, this folder by default. */
const into = resolve(process.argv[2] ?? '.')
const dir = await mkdtemp(join(tmpdir(), 'tidemark-agent-package-'))
try {
  await buildAgentPackage(dir)
  const { stdout } = await promisify(execFile)('npm', ['pack', dir, '--json', '--pack-destination', into])
  const [{ filename, size, unpackedSize }] = JSON.parse(stdout)
  const kib = (bytes: number) => `${Math.ceil(bytes / 1024)} KiB`
  console.log(`${join(into, filename)}: ${kib(size)}, ${kib(unpackedSize)} unpacked`)
} finally {
  await rm(dir, { recursive: true })
}
