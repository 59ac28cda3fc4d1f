import type { Gap } from '../../schemas/position.ts'
import type { BlockDecoder } from '../block-decoder.ts'
import { StoredBlock } from '../stored-block.ts'
import type { FetchedRecord } from './client.ts'
import { decodeRecordHeader } from './record.ts'

const FOREIGN = 'a record that no collector of this release wrote'

export interface RecordBlocks {
  readonly blocks: readonly StoredBlock[]
  readonly gaps: readonly Gap[]
  /** Log time of the last block, `beforeMs` where there is none. */
  readonly toMs: number
}

/** The blocks of records of one partition in a row; one that is none of ours is a gap. `beforeMs` is the log time before them. */
export function blocksOf(
  decoder: BlockDecoder,
  partition: number,
  records: readonly FetchedRecord[],
  beforeMs: number,
): RecordBlocks {
  const blocks: StoredBlock[] = []
  const gaps: Gap[] = []
  let toMs = beforeMs
  for (const { offset, value, header } of records) {
    const about = decodeRecordHeader(header)
    if (about === null) {
      gaps.push({ partition, from: offset - 1, to: offset, fromMs: toMs, toMs, reason: FOREIGN })
      continue
    }
    toMs = about.logTimeMs
    blocks.push(new StoredBlock(decoder, { partition, offset, ...about }, value))
  }
  return { blocks, gaps, toMs }
}
