/** Blocks lie side by side in pieces of memory: one for each would keep the garbage collector busy. */
const SLAB_BYTES = 1 << 18
let slab: Buffer = Buffer.alloc(0)
let slabUsed = 0

/**
 * The bytes that a block of this length takes where blocks lie side by side, each at the end of its own: so that its doubles,
 * the last of it, begin at a multiple of eight and can be read where they are.
 */
export function alignedRoom(length: number): number {
  return (length + 7) & ~7
}

/** A copy of `source`, which ends at a multiple of eight in its memory. */
export function kept(source: Uint8Array): Buffer {
  const room = alignedRoom(source.length)
  if (room > SLAB_BYTES / 4) return copyTo(Buffer.from(new ArrayBuffer(room)), room, source)
  if (slabUsed + room > slab.length) {
    slab = Buffer.from(new ArrayBuffer(SLAB_BYTES))
    slabUsed = 0
  }
  slabUsed += room
  return copyTo(slab, slabUsed, source)
}

function copyTo(memory: Buffer, end: number, source: Uint8Array): Buffer {
  const copy = memory.subarray(end - source.length, end)
  copy.set(source)
  return copy
}
