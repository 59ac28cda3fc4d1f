import { isLoopback } from '../../schemas/loopback.ts'
import type { Access } from '../../schemas/ports/access.ts'
import { recordOf, type TokenRecord } from '../../schemas/token.ts'

/** Which peers must show a token. */
export interface AccessRule {
  /** Nobody must. */
  readonly insecure: boolean
  /** Also those on this machine. */
  readonly loopback: boolean
}

/** Who gets in, by a rule and the tokens that there are; in each thread that asks. */
export class TokenAccess implements Access {
  readonly rule: AccessRule
  #records: readonly TokenRecord[]
  readonly #listeners = new Set<() => void>()

  constructor(rule: AccessRule, records: readonly TokenRecord[]) {
    this.rule = rule
    this.#records = records
  }

  get records(): readonly TokenRecord[] {
    return this.#records
  }

  /** Tokens came or went. */
  replace(records: readonly TokenRecord[]): void {
    this.#records = records
    for (const fn of [...this.#listeners]) fn()
  }

  required(remoteAddress: string): boolean {
    return !this.rule.insecure && (this.rule.loopback || !isLoopback(remoteAddress))
  }

  holder(token: string): TokenRecord | null {
    return recordOf(token, this.#records)
  }

  isCurrent({ id, sha256 }: TokenRecord): boolean {
    return this.#records.some((one) => one.id === id && one.sha256 === sha256)
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn)
    return () => void this.#listeners.delete(fn)
  }
}
