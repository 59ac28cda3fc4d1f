import { randomBytes } from 'node:crypto'
import type { Random } from '../../schemas/ports/clock.ts'

/** The randomness of this machine. */
export function nodeRandom(): Random {
  return {
    float: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
    hex: (bytes) => randomBytes(bytes).toString('hex'),
  }
}
