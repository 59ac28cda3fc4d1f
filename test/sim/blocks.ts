import { expect } from 'vitest'
import type { BlockDamage } from '../../log/block-damage.ts'
import { BlockDecoder } from '../../log/block-decoder.ts'
import { BlockEncoder } from '../../log/block-encoder.ts'
import type { Columns } from '../../schemas/message.ts'

const encoder = new BlockEncoder()
const decoder = new BlockDecoder()

/** Messages as the payload of a block. */
export function encodeBlock(messages: Columns): Buffer {
  return encoder.encode(messages)
}

/** The messages of a block that is whole. */
export function decodeBlock(payload: Uint8Array): Columns {
  const decoded = decoder.decode(payload)
  if ('damage' in decoded) expect.unreachable(decoded.damage)
  return decoded as Columns
}

/** The same of bytes that may be no block. */
export function decodeOrDamage(payload: Uint8Array): Columns | BlockDamage {
  return decoder.decode(payload)
}

/** The highest number of each agent in a block. */
export function agentsOf(payload: Uint8Array): Map<string, number> {
  const agents = new Map<string, number>()
  decoder.forEachAgent(payload, (agent, seq) => agents.set(agent, seq))
  return agents
}
