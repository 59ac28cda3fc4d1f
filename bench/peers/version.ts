import { spawnSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'

/** How a program can be asked which version it is. */
export interface Versioned {
  /** Arguments with which it prints its version. */
  readonly versionArgs: readonly string[]
  /** The Go module it is built from. */
  readonly module: string
}

const ASKED_MS_MAX = 5_000

/** Where PATH finds a program; null where it does not. */
export function pathOf(program: string): string | null {
  const { status, stdout } = spawnSync('which', [program], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : null
}

/**
 * The version of the program at `path`: what it prints itself; or else the module's version that Go wrote into it, as `go install`
 * does; or else that of the Debian package that this very file belongs to.
 */
export function versionOf(path: string, { versionArgs, module }: Versioned): string {
  return (
    printedVersion(path, versionArgs) ??
    builtVersion(path, module) ??
    packagedVersion(path) ??
    'of unknown version'
  )
}

function printedVersion(path: string, args: readonly string[]): string | null {
  const { stdout, stderr } = spawnSync(path, args, { encoding: 'utf8', timeout: ASKED_MS_MAX })
  return /\bv?(\d+\.\d+[^\s)]*)/.exec(`${stdout ?? ''}\n${stderr ?? ''}`)?.[1] ?? null
}

function builtVersion(path: string, module: string): string | null {
  const bytes = readFileSync(path)
  const line = `\nmod\t${module}\tv`
  const at = bytes.indexOf(line)
  if (at < 0) return null
  const rest = bytes.toString('latin1', at + line.length, at + line.length + 100)
  return /^[^\s]+/.exec(rest)?.[0] ?? null
}

function packagedVersion(path: string): string | null {
  const owner = spawnSync('dpkg-query', ['-S', realpathSync(path)], { encoding: 'utf8' })
  const name = /^([^:\s]+)/.exec(owner.stdout ?? '')?.[1]
  if (owner.status !== 0 || name === undefined) return null
  const { stdout } = spawnSync('dpkg-query', ['-s', name], { encoding: 'utf8' })
  return `${/^Version: (.+)$/m.exec(stdout)?.[1]} (Debian's package; it does not say itself)`
}
