import type { Access } from '../../schemas/ports/access.ts'
import { hashToken, type Role, type TokenRecord } from '../../schemas/token.ts'

/** Tokens that a test gives and takes. */
export class TestAccess implements Access {
  readonly #roles: Map<string, Role>
  readonly #listeners = new Set<() => void>()
  needed = true
  /** The token of the process itself. */
  own: string | null = null

  constructor(roles: { readonly [token: string]: Role }) {
    this.#roles = new Map(Object.entries(roles))
  }

  required(): boolean {
    return this.needed
  }

  holder(token: string): TokenRecord | null {
    const role = this.#roles.get(token)
    if (role === undefined) return null
    const record = { id: token, role, name: '', createdMs: 0, expiresMs: null, sha256: hashToken(token) }
    return token === this.own ? { ...record, isOwn: true } : record
  }

  isCurrent({ id }: TokenRecord): boolean {
    return this.#roles.has(id)
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn)
    return () => void this.#listeners.delete(fn)
  }

  /** Who waits to be told of changes. */
  get listeners(): number {
    return this.#listeners.size
  }

  revoke(token: string): void {
    this.#roles.delete(token)
    for (const fn of this.#listeners) fn()
  }
}
