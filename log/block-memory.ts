/** Bytes of a piece of memory in which blocks lie side by side. */
const SLAB_BYTES = 1 << 18

/**
 * The bytes that a block of this length takes where blocks lie side by side, each at the end of its own: so that its doubles,
 * the last of it, begin at a multiple of eight and can be read where they are.
 */
export function alignedRoom(length: number): number {
  return (length + 7) & ~7
}

/** Memory for blocks, side by side in larger pieces: a piece for each would keep the garbage collector busy. */
export class BlockMemory {
  #slab: Buffer = Buffer.alloc(0)
  #used = 0
  /** The piece that the block given last lies in, as doubles. */
  doubles: Float64Array = new Float64Array()

  /** Memory for a block of so many bytes, which ends at a multiple of eight in its piece. */
  room(length: number): Buffer {
    const room = alignedRoom(length)
    if (this.#used + room > this.#slab.length) {
      this.#slab = Buffer.from(new ArrayBuffer(Math.max(SLAB_BYTES, room)))
      this.doubles = new Float64Array(this.#slab.buffer)
      this.#used = 0
    }
    this.#used += room
    return this.#slab.subarray(this.#used - length, this.#used)
  }

  /** A copy of `source`, which ends at a multiple of eight in its memory. */
  copy(source: Uint8Array): Buffer {
    const copy = this.room(source.length)
    copy.set(source)
    return copy
  }
}
