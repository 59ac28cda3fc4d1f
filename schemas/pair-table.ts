import { grown } from './grown.ts'

/** What a slot holds while it is free. */
const EMPTY = 0
/** Pairs for which there is room at first: V8 makes arrays of up to 64 bytes several times as fast as longer ones. */
const PAIRS_FIRST = 8

/**
 * Whole numbers for pairs of numbers, counted from 0 in the order in which the pairs were first asked for: a hash table
 * of open addressing with linear probing, for millions of look-ups a second.
 */
export class PairTable {
  /** Per slot the number of its pair plus one. */
  #slots: Int32Array
  #first: Int32Array
  #second: Float64Array
  #size = 0

  /** `room`: how many pairs are expected. */
  constructor(room = 0) {
    const pairs = Math.max(room, PAIRS_FIRST)
    this.#slots = new Int32Array(2 * 2 ** Math.ceil(Math.log2(pairs)))
    this.#first = new Int32Array(pairs)
    this.#second = new Float64Array(pairs)
  }

  get size(): number {
    return this.#size
  }

  /** The number of (a, b), given now where it had none. `a` is a whole number of 32 bits, `b` any whole number. */
  find(a: number, b: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hashPair(a, b) & mask
    for (let id = slots[slot]! - 1; id >= 0; id = slots[slot]! - 1) {
      if (this.#second[id] === b && this.#first[id] === a) return id
      slot = (slot + 1) & mask
    }
    return this.#add(slot, a, b)
  }

  /** The number of (a, b); −1 where it has none. */
  get(a: number, b: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = hashPair(a, b) & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot]! - 1
      if (id < 0 || (this.#second[id] === b && this.#first[id] === a)) return id
    }
  }

  /** The first of the pair that has a number. */
  firstOf(id: number): number {
    return this.#first[id]!
  }

  /** The second. */
  secondOf(id: number): number {
    return this.#second[id]!
  }

  #add(slot: number, a: number, b: number): number {
    const id = this.#size++
    if (id === this.#first.length) this.#grow()
    this.#slots[slot] = id + 1
    this.#first[id] = a
    this.#second[id] = b
    if (this.#slots.length < 2 * this.#size) this.#rehash()
    return id
  }

  #grow(): void {
    this.#first = grown(this.#first)
    this.#second = grown(this.#second)
  }

  #rehash(): void {
    this.#slots = new Int32Array(2 * this.#slots.length)
    const mask = this.#slots.length - 1
    for (let id = 0; id < this.#size; id++) {
      let slot = hashPair(this.#first[id]!, this.#second[id]!) & mask
      while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask
      this.#slots[slot] = id + 1
    }
  }
}

/** Mixes two whole numbers; the finalizer of MurmurHash3 on both. */
export function hashPair(a: number, b: number): number {
  let hash =
    Math.imul(a, 0x9e3779b1) ^ Math.imul(b | 0, 0x85ebca6b) ^ Math.imul((b / 2 ** 32) | 0, 0xc2b2ae35)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0xc2b2ae35)
  return hash ^ (hash >>> 13)
}
