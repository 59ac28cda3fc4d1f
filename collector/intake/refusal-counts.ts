import type { SeenRefusal } from '../../schemas/ports/senders.ts'
import { hideTokens } from '../../schemas/token.ts'
import { SEEN_REFUSALS_MAX } from './limits.ts'
import type { Reject } from './rejects.ts'

/** How many lines were refused for which reason, and the last of them. */
export class RefusalCounts {
  readonly #byCode = new Map<string, number>()
  #last: SeenRefusal[] = []

  add({ timeMs, remote, agent, code, field, reason }: Reject): void {
    this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1)
    this.#last.push({ timeMs, remote, agent, code, field, reason: hideTokens(reason) })
    if (this.#last.length > SEEN_REFUSALS_MAX) this.#last.shift()
  }

  /** Per code, the most frequent first. */
  counts(): { readonly code: string; readonly refused: number }[] {
    const counts = Array.from(this.#byCode, ([code, refused]) => ({ code, refused }))
    return counts.sort((a, b) => b.refused - a.refused)
  }

  /** The newest first. */
  last(): readonly SeenRefusal[] {
    return this.#last.toReversed()
  }

  /** Forgets the words of those kept: they may name what is erased. */
  forget(): void {
    this.#last = []
  }
}
