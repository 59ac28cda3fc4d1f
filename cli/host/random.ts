import { closeSync, openSync, readSync } from 'node:fs'
import type { Random } from '../../schemas/ports/clock.ts'

/**
 * The randomness of this machine. Ids come straight from the system: node:crypto would be a megabyte of an agent's memory
 * for them alone. Waits need only chance.
 */
export function nodeRandom(): Random {
  return { float: () => Math.random(), hex: (bytes) => fromSystem(bytes).toString('hex') }
}

function fromSystem(count: number): Buffer {
  const bytes = Buffer.alloc(count)
  const source = openSync('/dev/urandom', 'r')
  try {
    for (let filled = 0; filled < count; ) filled += readSync(source, bytes, filled, count - filled, null)
  } finally {
    closeSync(source)
  }
  return bytes
}
