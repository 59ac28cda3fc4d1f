import { TidemarkError } from '../../schemas/errors.ts'
import type { Gap } from '../../schemas/position.ts'
import type { BlockDecoder } from '../block-decoder.ts'
import { StoredBlock } from '../stored-block.ts'
import type { FetchedRecord } from './client.ts'
import { decodeRecordHeader, newerVersion, RECORD_VERSION } from './record.ts'

const FOREIGN = 'a record that no collector of this release wrote'

export interface RecordBlocks {
  readonly blocks: readonly StoredBlock[]
  readonly gaps: readonly Gap[]
  /** Log time of the last block, `beforeMs` where there is none. */
  readonly toMs: number
}

/**
 * Those of the records before the first that a newer release wrote. To pass that over would leave out accepted messages for ever.
 * Throws `E_NEWER` when there are none.
 */
export function readable(partition: number, records: readonly FetchedRecord[]): readonly FetchedRecord[] {
  const newer = records.findIndex(({ header }) => newerVersion(header) !== null)
  if (newer > 0) return records.slice(0, newer)
  if (newer < 0) return records
  const { offset, header } = records[0]!
  throw new TidemarkError(
    'E_NEWER',
    `block ${offset} of partition ${partition} is of format ${newerVersion(header)}, this release reads ${RECORD_VERSION}`,
  )
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
