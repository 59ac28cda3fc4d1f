/**
 * A block as bytes, in the journal and wherever it passes from thread to thread: little-endian, column by column
 * (docs/format/journal.md):
 *
 *     u16 messages │ u16 bytes of the form │ form │ dictionaries │ places, u16[messages] each │ f64 seq[] │ f64 time[] │
 *     gauges × f64[]
 *
 * The form (`formText`) says which columns follow: dictionaries and places are those of the keys, the source, the
 * attributes and the agent. A dictionary is u16 count, then per entry u16 byte length and UTF-8. Places are those in the
 * dictionary, 0xFFFF for null, which only attributes and agents may be. A seq of 0 is null, a gauge that is NaN absent.
 */
export const BLOCK_HEAD_BYTES = 4

/** The place of null. */
export const NULL_PLACE = 0xffff
