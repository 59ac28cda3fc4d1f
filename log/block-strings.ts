import { type MessageForm, parseForm } from '../schemas/dataset.ts'
import { Damage, TOO_SHORT } from './block-damage.ts'
import { BLOCK_HEAD_BYTES } from './block-format.ts'
import { hashName, NAMES_FULL, NameTable } from './name-table.ts'

/** Distinct strings kept, so that each is made once for many blocks; when there are more, all are made anew. */
export const NAMES_MAX = 65_536
/** Forms kept likewise. */
const FORMS_MAX = 1_000

/** The strings and forms of blocks, each made once for many blocks. */
export class BlockStrings {
  readonly #forms = new Map<string, MessageForm>()
  #names = new NameTable(NAMES_MAX)
  /** Counts how often all were made anew: an id means the same string only within one generation. */
  generation = 0

  /** The form that stands behind the head of a block and ends at its byte `to`; the same object for all blocks of a form. */
  form(block: Uint8Array, to: number): MessageForm {
    const raw = Buffer.from(block.buffer, block.byteOffset, block.length).subarray(BLOCK_HEAD_BYTES, to)
    const key = raw.toString('latin1')
    let form = this.#forms.get(key)
    if (form === undefined) {
      const parsed = parseForm(raw.toString('utf8'))
      if (parsed === null) throw new Damage('a block does not say which columns it has')
      if (this.#forms.size >= FORMS_MAX) this.#forms.clear()
      form = parsed
      this.#forms.set(key, form)
    }
    return form
  }

  /** The string whose bytes lie in `view` from `from` to `to`, of a block that ends at `end`. */
  text(view: DataView, from: number, to: number, end: number): string {
    const id = this.idOf(view, from, to, end)
    if (id >= 0) return this.#names.text(id)
    if (to > end) throw new Damage(TOO_SHORT)
    return Buffer.from(view.buffer, view.byteOffset + from, to - from).toString('utf8')
  }

  /** A number below `NAMES_MAX` for such a string, negative where it gets none. */
  idOf(view: DataView, from: number, to: number, end: number): number {
    // To be hashed it must have three bytes behind it: columns follow, in a whole block.
    if (to + 3 > end) return NAMES_FULL
    const hash = hashName(view, from, to)
    const id = this.#names.find(view, from, to, hash)
    if (id !== NAMES_FULL) return id
    this.#names = new NameTable(NAMES_MAX)
    this.generation += 1
    return this.#names.find(view, from, to, hash)
  }
}
