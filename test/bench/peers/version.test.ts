import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { versionOf } from '../../../bench/peers/version.ts'

/** The version of a program of these lines. */
async function versionOfScript(...lines: string[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-version-'))
  const path = join(dir, 'peer')
  try {
    await writeFile(path, ['#!/bin/sh', ...lines, ''].join('\n'))
    await chmod(path, 0o755)
    return versionOf(path, { versionArgs: ['-version'], module: 'example.org/peer' })
  } finally {
    await rm(dir, { recursive: true })
  }
}

test("a peer's version is what the program prints when it is asked", async () => {
  expect(await versionOfScript('echo "Peer v1.6.7~rc0 (git: unknown, $1)"')).toBe('1.6.7~rc0')
})

test('a program that prints none has the version that Go wrote into it', async () => {
  const built = ["echo ''", 'exit 0', 'mod\texample.org/peer\tv1.151.0\th1:abc=']
  expect(await versionOfScript(...built)).toBe('1.151.0')
})

test('a program that nobody packaged and that says nothing is of unknown version, whatever package has its name', async () => {
  expect(await versionOfScript('exit 1')).toBe('of unknown version')
})
