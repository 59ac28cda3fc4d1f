import { join } from 'node:path'
import { describeError } from '../../schemas/errors.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { hashToken, isUnexpired, makeToken, type TokenRecord } from '../../schemas/token.ts'
import { replaceFile } from '../host/replace-file.ts'
import { type AccessRule, TokenAccess } from './access.ts'
import { parseTokens, tokenFile } from './token-file.ts'
import { watching } from './watching.ts'

/** The tokens of a data directory while a process serves it. */
export interface Tokens {
  readonly access: TokenAccess
  /** A token of this process's own, for its agent and for commands on this machine. */
  readonly own: string
  /** Those that count now. */
  list(): readonly TokenRecord[]
  close(): Promise<void>
}

/** How soon a change of the file is seen. */
const LOOK_MS = 500

/** Where commands on this machine find `own`. */
const ownFile = (dataDir: string) => join(dataDir, 'up.token')

/** Reads the tokens, and again whenever the file changes. Throws `E_TOKEN_FILE`; later it keeps those it knows and says why. */
export async function openTokens(
  {
    dataDir,
    rule,
    given = [],
  }: { dataDir: string; rule: AccessRule /** Tokens of the settings. */; given?: readonly TokenRecord[] },
  { disk, clock, random, logLine }: { disk: Disk; clock: Clock; random: Random; logLine(line: string): void },
): Promise<Tokens> {
  const path = tokenFile(dataDir)
  const { id, token: own } = makeToken(random)
  const ownRecord: TokenRecord = {
    id,
    role: 'admin',
    name: 'this process',
    createdMs: clock.nowMs(),
    expiresMs: null,
    sha256: hashToken(own),
    isOwn: true,
  }
  let read = await disk.readFile(path)
  let tokens = read === null ? [] : parseTokens(path, read)
  let current = unexpired()
  const access = new TokenAccess(rule, [ownRecord, ...current])

  /** By its bytes: times of files are too coarse on some systems. */
  async function look() {
    const bytes = await disk.readFile(path)
    if (!same(bytes, read)) {
      tokens = bytes === null ? [] : parseTokens(path, bytes)
      read = bytes
    } else if (unexpired().length === current.length) return
    tell()
  }

  function failed(error: unknown): string {
    // Those known before go on, and end when they should.
    if (unexpired().length !== current.length) tell()
    return `tokens: ${describeError(error)}; those known before still count`
  }

  function unexpired() {
    const nowMs = clock.nowMs()
    return [...given, ...tokens.filter((token) => isUnexpired(token, nowMs))]
  }

  function tell() {
    current = unexpired()
    access.replace([ownRecord, ...current])
  }

  const watch = watching({ everyMs: LOOK_MS, look, failed }, { clock, logLine })
  return { access, own, list: () => current, close: () => watch.close() }
}

function same(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0
}

/** Lets commands on this machine use `own`, until `removeOwn`. */
export async function writeOwn(disk: Disk, dataDir: string, own: string): Promise<void> {
  await replaceFile(disk, ownFile(dataDir), own, { secret: true })
}

export async function removeOwn(disk: Disk, dataDir: string): Promise<void> {
  await disk.remove(ownFile(dataDir))
}

/** Null where none runs, or for another user. */
export async function readOwn(disk: Disk, dataDir: string): Promise<string | null> {
  const bytes = await disk.readFile(ownFile(dataDir)).catch(() => null)
  return bytes === null ? null : new TextDecoder().decode(bytes)
}
