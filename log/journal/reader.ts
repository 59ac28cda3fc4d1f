import { TidemarkError } from '../../schemas/errors.ts'
import type { BlockDecoder } from '../block-decoder.ts'
import type { LogSlice } from '../port.ts'
import { scanSegment } from './scan.ts'
import { asBuffer, indexOf, readSegment, type Segment, type SegmentIndex, wholeFile } from './segment.ts'
import { decodeHead, HEAD_FIXED_BYTES, headLength, type SegmentHead } from './segment-head.ts'
import type { Tail } from './tail.ts'

/**
 * Blocks of old segments whose places are kept for readers that catch up, 20 bytes each: to find them anew their segment has
 * to be read as a whole. Blocks of 50 messages are as many in two and a half GiB, a minute at full speed.
 */
const OLD_BLOCKS_MAX = 1 << 20

/**
 * Reads the segments of a journal, which go on growing meanwhile: the newest blocks from memory, others from disk, where the
 * index of an old segment is made when somebody reads it.
 */
export class JournalReader {
  readonly #segments: readonly Segment[]
  readonly #tail: Tail
  readonly #decoder: BlockDecoder
  readonly #logLine: (line: string) => void

  /** `segments` are the journal's own, oldest first. */
  constructor(
    segments: readonly Segment[],
    tail: Tail,
    { decoder, logLine }: { decoder: BlockDecoder; logLine(line: string): void },
  ) {
    this.#segments = segments
    this.#tail = tail
    this.#decoder = decoder
    this.#logLine = logLine
  }

  /** `LogReader.start`. */
  start(): number {
    return this.#segments[0]!.firstOffset - 1
  }

  /** `LogReader.read`. */
  async read(after: number, blocksMax: number): Promise<LogSlice> {
    if (after < this.start()) throw this.#trimmed(after)
    const blocks = this.#tail.after(after, blocksMax)
    if (blocks !== null) {
      const last = blocks.at(-1)
      const toMs = last?.logTimeMs ?? this.#segments.at(-1)!.index!.toMs
      return { blocks, gaps: [], to: last?.offset ?? after, toMs }
    }
    const i = this.#segments.findLastIndex((segment) => segment.firstOffset <= after + 1)
    const segment = this.#segments[i]!
    try {
      const how = { after, blocksMax, decoder: this.#decoder }
      return await readSegment(segment, await this.#indexFor(segment), how)
    } catch (error) {
      throw this.#segments.includes(segment) ? error : this.#trimmed(after)
    }
  }

  #trimmed(after: number): TidemarkError {
    return new TidemarkError('E_TRIMMED', `the journal begins after block ${this.start()}, not ${after}`)
  }

  async #indexFor(segment: Segment): Promise<SegmentIndex> {
    if (segment.index !== null) return segment.index
    const scan = scanSegment(await wholeFile(segment.file), segment)
    const next = this.#segments[this.#segments.indexOf(segment) + 1]
    if (next === undefined) throw this.#trimmed(segment.firstOffset)
    const logTimeMs = scan.head?.logTimeMs ?? 0
    const nextMs = (await headOf(next))?.logTimeMs ?? 0
    const index = indexOf(
      scan,
      { ...segment, logTimeMs },
      { firstOffset: next.firstOffset, logTimeMs: nextMs },
    )
    for (const gap of index.gaps)
      this.#logLine(`journal: blocks ${gap.from + 1} to ${gap.to} are damaged and left out`)
    this.forgetIndexes()
    segment.index = index
    return index
  }

  /** Keeps the indexes of the active segment and of the newest others. */
  forgetIndexes(): void {
    let blocks = 0
    for (const segment of this.#segments.slice(0, -1).reverse()) {
      blocks += segment.index?.offsets.length ?? 0
      if (blocks > OLD_BLOCKS_MAX && segment.index?.gaps.length === 0) segment.index = null
    }
  }
}

async function headOf({ file, syncedBytes, ...id }: Segment): Promise<SegmentHead | null> {
  const fixed = asBuffer(await file.read(0, HEAD_FIXED_BYTES))
  // A damaged length may say anything.
  const bytes = await file.read(0, Math.min(headLength(fixed), syncedBytes))
  return decodeHead(asBuffer(bytes), id)?.head ?? null
}
