import type { TokenRecord } from '../token.ts'

/** Who may speak with a listening layer, and as what. */
export interface Access {
  /** Whether a peer at this address must show a token. */
  required(remoteAddress: string): boolean
  /** What a token stands for now; null when there is no such token. */
  holder(token: string): TokenRecord | null
  /** Whether a token that was valid is so still. */
  isCurrent(record: TokenRecord): boolean
  /** Calls back whenever tokens came or went; the result stops that. */
  onChange(fn: () => void): () => void
}
