import { join } from 'node:path'
import { describeError, isError, TidemarkError } from '../../schemas/errors.ts'
import { type Clock, sleep } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { ROLES, type Role, type TokenRecord } from '../../schemas/token.ts'
import { replaceFile } from '../host/replace-file.ts'

/**
 * `DATA/tokens.json` (docs/format/tokens.md). It is replaced as a whole: a new file, synced, takes the name of the old one.
 */
export const tokenFile = (dataDir: string) => join(dataDir, 'tokens.json')

export const TOKENS_MAX = 1_000
/** How long a change waits for another one. */
const LOCK_MS_MAX = 5_000
const LOCK_AGAIN_MS = 50
/** Version 2 has tokens that expire: a release that does not know of it must not take them for others. */
const VERSIONS: readonly unknown[] = [1, 2]

/** Every token; none when there is no file. Throws `E_TOKEN_FILE`. */
export async function readTokens(disk: Disk, dataDir: string): Promise<TokenRecord[]> {
  const bytes = await disk.readFile(tokenFile(dataDir))
  return bytes === null ? [] : parseTokens(tokenFile(dataDir), bytes)
}

/** The tokens in a file's bytes. Throws `E_TOKEN_FILE` naming `path`. */
export function parseTokens(path: string, bytes: Uint8Array): TokenRecord[] {
  const wrong = (what: string) => new TidemarkError('E_TOKEN_FILE', `${path} ${what}`)
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw wrong(`is not JSON: ${describeError(error)}`)
  }
  const { version, tokens } = (json ?? {}) as { version?: unknown; tokens?: unknown }
  if (!VERSIONS.includes(version))
    throw wrong(`is of version ${JSON.stringify(version)}; this release knows ${VERSIONS.join(' and ')}`)
  if (!Array.isArray(tokens) || tokens.length > TOKENS_MAX)
    throw wrong(`has no list of at most ${TOKENS_MAX} tokens`)
  return tokens.map((token, i) => {
    const record = recordIn(token)
    if (record === null) throw wrong(`is wrong at token ${i + 1}`)
    return record
  })
}

function recordIn(value: unknown): TokenRecord | null {
  const { id, role, name, created, expires = null, sha256 } = (value ?? {}) as Record<string, unknown>
  const createdMs = typeof created === 'string' ? Date.parse(created) : Number.NaN
  const expiresMs = expires === null ? null : typeof expires === 'string' ? Date.parse(expires) : Number.NaN
  const good =
    typeof id === 'string' &&
    ROLES.includes(role as Role) &&
    typeof name === 'string' &&
    !Number.isNaN(createdMs) &&
    !Number.isNaN(expiresMs) &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256)
  return good ? { id, role: role as Role, name, createdMs, expiresMs, sha256 } : null
}

/**
 * Changes the file to what `change` makes of its tokens, durably, one process at a time. Throws what `change` throws, and
 * `E_TOKEN_FILE`, `E_LOCKED`, `E_DISK`.
 */
export async function changeTokens(
  { disk, clock }: { disk: Disk; clock: Clock },
  dataDir: string,
  change: (tokens: readonly TokenRecord[]) => readonly TokenRecord[],
): Promise<void> {
  await disk.makeDir(dataDir)
  const lock = await lockWithin(disk, clock, join(dataDir, 'tokens.lock'))
  try {
    const tokens = change(await readTokens(disk, dataDir)).map(
      ({ id, role, name, createdMs, expiresMs, sha256 }) => {
        const expires = expiresMs === null ? {} : { expires: new Date(expiresMs).toISOString() }
        return { id, role, name, created: new Date(createdMs).toISOString(), ...expires, sha256 }
      },
    )
    if (tokens.length > TOKENS_MAX)
      throw new TidemarkError('E_USAGE', `there are ${TOKENS_MAX} tokens already; revoke some`)
    const version = tokens.some((token) => 'expires' in token) ? 2 : 1
    const text = `${JSON.stringify({ version, tokens }, null, 2)}\n`
    await replaceFile(disk, tokenFile(dataDir), text, { secret: true })
  } finally {
    await lock.release()
  }
}

async function lockWithin(disk: Disk, clock: Clock, path: string): Promise<{ release(): Promise<void> }> {
  const untilMs = clock.nowMs() + LOCK_MS_MAX
  for (;;) {
    try {
      return await disk.lock(path, `tidemark token, process ${process.pid}`)
    } catch (error) {
      if (!isError(error, 'E_LOCKED') || clock.nowMs() >= untilMs) throw error
      await sleep(clock, LOCK_AGAIN_MS)
    }
  }
}
