import type { ErrorCode } from '../../schemas/errors.ts'

/** What a peer that speaks another protocol is told. */
export interface Misdirected {
  readonly code: ErrorCode
  readonly reason: string
}

/** The first byte of a TLS handshake. */
const TLS_HANDSHAKE = 0x16
const [TAB, NEWLINE, RETURN, SPACE] = [0x09, 0x0a, 0x0d, 0x20] as const
/** No character begins with these bytes in UTF-8. */
const [CONTINUATION, FIRST] = [0x80, 0xc0] as const
/** So much of a first line is looked at. */
const LOOKED_AT_BYTES = 1_024

const HTTP_METHOD = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PRI) /
/** RFC 9112, request line: method, target, version. */
const HTTP_REQUEST = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP\/\d/

/**
 * Judges the first byte that a peer sends. Those of TLS, STUN, SOCKS and the like begin no text, and what follows them may be
 * chosen by strangers: it must not be taken for lines. Null when a line may begin with it.
 */
export function judgeFirstByte(byte: number): Misdirected | null {
  if (byte === TLS_HANDSHAKE) return { code: 'E_TLS', reason: 'this collector speaks no TLS' }
  const isBlank = byte === TAB || byte === NEWLINE || byte === RETURN
  if ((byte >= SPACE || isBlank) && !(byte >= CONTINUATION && byte < FIRST)) return null
  return { code: 'E_PROTOCOL', reason: 'this is no text; the collector takes lines of JSON' }
}

/**
 * Judges the first line. Any web page can make a browser send a request of HTTP here, with lines of the page's own as its
 * body. Null when the line is none.
 */
export function judgeFirstLine(line: Uint8Array): Misdirected | null {
  const start = Buffer.from(line.buffer, line.byteOffset, Math.min(line.length, LOOKED_AT_BYTES))
  const text = start.toString('latin1')
  if (!HTTP_METHOD.test(text) && !HTTP_REQUEST.test(text)) return null
  return {
    code: 'E_PROTOCOL',
    reason:
      'the peer speaks HTTP; the collector takes lines of JSON, and HTTP goes to the address of serving.listen',
  }
}
