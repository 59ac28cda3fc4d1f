/** How the characters of a text file are encoded, as the engine names it. */
export type TextEncoding = 'utf-8' | 'utf-16' | 'latin-1'

/** How a file begins, as text. */
export interface TextHead {
  readonly text: string
  readonly encoding: TextEncoding
}

/**
 * Reads the first bytes of a text file: UTF-16 by its byte-order mark, as Excel's "Unicode text" has it; UTF-8; or Latin-1, as Excel
 * writes CSV on Windows, where no character beyond ASCII is UTF-8. The last character may be cut off.
 */
export function textHead(bytes: Uint8Array): TextHead {
  if (bytes[0] === 0xff && bytes[1] === 0xfe)
    return { text: new TextDecoder('utf-16le').decode(bytes), encoding: 'utf-16' }
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true })
  const isWrong = utf8.includes('\ufffd') && !/[^\0-\x7f\ufffd]/.test(utf8)
  // What is no text either way is told by its zero bytes.
  if (!isWrong || utf8.includes('\0')) return { text: utf8, encoding: 'utf-8' }
  return { text: new TextDecoder('latin1').decode(bytes), encoding: 'latin-1' }
}

/** Files that are known by how they begin, and cannot be read: what each is, and what to do. */
const OTHERS: readonly (readonly [begin: string, what: string, hint: string])[] = [
  ['BZh', 'compressed with bzip2', 'give `bzip2 -dc FILE | tidemark import -`'],
  ['\xfd7zXZ', 'compressed with xz', 'give `xz -dc FILE | tidemark import -`'],
  ['\x04\x22\x4d\x18', 'compressed with lz4', 'give `lz4 -dc FILE | tidemark import -`'],
  [
    'PK\x03\x04',
    'a ZIP archive or a workbook of Excel',
    'unpack it, or save the sheet as CSV; archives of one file: `unzip -p FILE | tidemark import -`',
  ],
  ['\xd0\xcf\x11\xe0', 'an old workbook of Excel', 'save the sheet as CSV'],
  ['ARROW1', 'an Arrow file', 'write it as Parquet'],
  ['Obj\x01', 'an Avro file', 'write it as Parquet'],
  ['ORC', 'an ORC file', 'write it as Parquet'],
  ['SQLite format 3', 'a database of SQLite', 'export its table as CSV'],
  ['\xfe\xff', 'UTF-16 with the high byte first', 'give `iconv -f utf-16 -t utf-8 FILE | tidemark import -`'],
]

/** What a file is that can be told by its first bytes, and not be read; null for all others. */
export function unreadableKind(bytes: Uint8Array): { readonly what: string; readonly hint: string } | null {
  const begin = String.fromCharCode(...bytes.subarray(0, 16))
  const found = OTHERS.find(([magic]) => begin.startsWith(magic))
  return found === undefined ? null : { what: found[1], hint: found[2] }
}
