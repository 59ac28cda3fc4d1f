import type { Block } from '../schemas/block.ts'
import { TidemarkError } from '../schemas/errors.ts'
import type { Columns } from '../schemas/message.ts'
import type { BlockDecoder } from './block-decoder.ts'

/** A block whose messages are decoded when somebody looks at them. */
export class StoredBlock implements Block {
  readonly partition: number
  readonly offset: number
  readonly logTimeMs: number
  readonly id: string | null
  readonly payload: Uint8Array
  readonly #decoder: BlockDecoder
  #messages: Columns | null = null

  constructor(
    decoder: BlockDecoder,
    { partition, offset, logTimeMs, id }: Pick<Block, 'partition' | 'offset' | 'logTimeMs' | 'id'>,
    payload: Uint8Array,
  ) {
    this.#decoder = decoder
    this.partition = partition
    this.offset = offset
    this.logTimeMs = logTimeMs
    this.id = id ?? null
    this.payload = payload
  }

  /** Throws `E_COLUMNS` when the payload is no block. */
  get messages(): Columns {
    if (this.#messages === null) {
      const decoded = this.#decoder.decode(this.payload)
      if ('damage' in decoded) throw new TidemarkError('E_COLUMNS', decoded.damage)
      this.#messages = decoded
    }
    return this.#messages
  }
}
