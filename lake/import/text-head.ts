/** How the characters of a text file are encoded, as the WHATWG names it. */
export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'

/** How a Parquet file begins. */
export const PARQUET = 'PAR1'

/** How a file begins, as text. */
export interface TextHead {
  readonly text: string
  readonly encoding: TextEncoding
}

/**
 * Reads the first bytes of a text file: UTF-16 by its byte-order mark, as Excel's "Unicode text" has it; UTF-8; or Latin-1 with what
 * Windows added to it, as Excel writes CSV there, where no character beyond ASCII is UTF-8. The last character may be cut off.
 */
export function textHead(bytes: Uint8Array): TextHead {
  const decoded = (encoding: TextEncoding) => ({
    text: new TextDecoder(encoding).decode(bytes, { stream: true }),
    encoding,
  })
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decoded('utf-16le')
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decoded('utf-16be')
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true })
  const isWrong = utf8.includes('\ufffd') && !/[^\0-\x7f\ufffd]/.test(utf8)
  // What is no text either way is told by its zero bytes.
  if (!isWrong || utf8.includes('\0')) return { text: utf8, encoding: 'utf-8' }
  return decoded('windows-1252')
}

const SADF = 'give `sadf -d FILE -- -u -r -F | tidemark import -`'
/** `Linux 6.1.0 (web-1)  11/22/26  _x86_64_  (2 CPU)` */
const SAR_REPORT = /^Linux \S+ \([^)]+\)\s/

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
  ['\x96\xd5', "sar's own file", SADF],
  ['ARROW1', 'an Arrow file', 'write it as Parquet'],
  ['Obj\x01', 'an Avro file', 'write it as Parquet'],
  ['ORC', 'an ORC file', 'write it as Parquet'],
  ['SQLite format 3', 'a database of SQLite', 'export its table as CSV'],
]

/** What a file is that can be told by its first bytes, and not be read; null for all others. */
export function unreadableKind(bytes: Uint8Array): { readonly what: string; readonly hint: string } | null {
  const begin = String.fromCharCode(...bytes.subarray(0, 200))
  if (SAR_REPORT.test(begin)) return { what: 'a report of sar', hint: SADF }
  const found = OTHERS.find(([magic]) => begin.startsWith(magic))
  return found === undefined ? null : { what: found[1], hint: found[2] }
}
