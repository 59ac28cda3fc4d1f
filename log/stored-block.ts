import type { Block } from '../schemas/block.ts'
import type { Columns } from '../schemas/message.ts'
import { decodeBlock } from './block-codec.ts'

/** A block whose messages are decoded when somebody looks at them. */
export class StoredBlock implements Block {
  readonly partition: number
  readonly offset: number
  readonly logTimeMs: number
  readonly payload: Uint8Array
  #messages: Columns | null = null

  constructor(partition: number, offset: number, logTimeMs: number, payload: Uint8Array) {
    this.partition = partition
    this.offset = offset
    this.logTimeMs = logTimeMs
    this.payload = payload
  }

  get messages(): Columns {
    this.#messages ??= decodeBlock(this.payload)
    return this.#messages
  }
}
