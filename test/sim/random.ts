import type { Random } from '../../schemas/ports/clock.ts'

/** Random numbers that repeat from their seed: mulberry32, by Tommy Ettinger (public domain). */
export function simRandom(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0
  const float = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    float,
    hex: (bytes) =>
      Array.from({ length: bytes }, () =>
        Math.floor(float() * 256)
          .toString(16)
          .padStart(2, '0'),
      ).join(''),
  }
}
