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

  /** A copy of `source`, which ends at a multiple of eight in its memory. */
  copy(source: Uint8Array): Buffer {
    const room = alignedRoom(source.length)
    if (room > SLAB_BYTES / 4) return copyTo(Buffer.from(new ArrayBuffer(room)), room, source)
    if (this.#used + room > this.#slab.length) {
      this.#slab = Buffer.from(new ArrayBuffer(SLAB_BYTES))
      this.#used = 0
    }
    this.#used += room
    return copyTo(this.#slab, this.#used, source)
  }
}

function copyTo(memory: Buffer, end: number, source: Uint8Array): Buffer {
  const copy = memory.subarray(end - source.length, end)
  copy.set(source)
  return copy
}
