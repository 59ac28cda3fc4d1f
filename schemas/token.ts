import { createHash, timingSafeEqual } from 'node:crypto'
import type { Random } from './ports/clock.ts'

/** `agent` sends messages, `viewer` asks questions, `admin` does both and starts runs. */
export const ROLES = ['agent', 'viewer', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** What is kept of an access token: everything but the token. */
export interface TokenRecord {
  readonly id: string
  readonly role: Role
  /** What it is for, in its maker's words. */
  readonly name: string
  readonly createdMs: number
  /** From then on it is none; null: it stays until it is revoked. */
  readonly expiresMs: number | null
  /** SHA-256 of the whole token, in hexadecimal. It is random, so nothing slower is needed. */
  readonly sha256: string
  /** That of a process itself, which commands on its machine show; it ends with the process. */
  readonly isOwn?: true
}

const ID_BYTES = 4
const SECRET_BYTES = 24
const FORM = /tmk_([0-9a-f]{8})_[0-9a-f]{1,48}/g

/** A new token, `tmk_<id>_<secret>`. */
export function makeToken(random: Random): { id: string; token: string } {
  const id = random.hex(ID_BYTES)
  return { id, token: `tmk_${id}_${random.hex(SECRET_BYTES)}` }
}

/** The id of a token; null for what is none. */
export function parseToken(text: string): string | null {
  return /^tmk_([0-9a-f]{8})_[0-9a-f]{48}$/.exec(text)?.[1] ?? null
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** The record of a token; null when there is none. How long it takes says nothing about the hashes. */
export function recordOf(token: string, records: Iterable<TokenRecord>): TokenRecord | null {
  const hash = Buffer.from(hashToken(token), 'hex')
  let found: TokenRecord | null = null
  for (const record of records) {
    if (timingSafeEqual(hash, Buffer.from(record.sha256, 'hex'))) found = record
  }
  return found
}

/** Whether a token still counts, but for being revoked. */
export function isUnexpired({ expiresMs }: TokenRecord, nowMs: number): boolean {
  return expiresMs === null || nowMs < expiresMs
}

/** `text` without the secrets of tokens in it. */
export function hideTokens(text: string): string {
  return text.replaceAll(FORM, 'tmk_$1_...')
}
