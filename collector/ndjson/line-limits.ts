/** Limits of connections and lines that are not settings; docs/protocol.md lists them all. */

/** A line without its newline. */
export const LINE_BYTES_MAX = 65_536
/** How long a line may take from its first byte to its newline, while the collector reads. */
export const LINE_MS_MAX = 60_000
/** Of a line that is too long, so much is kept in `rejects/`. */
export const LONG_LINE_KEPT_BYTES = 1_024
/** Lines of one connection that wait to be settled; more are not read. */
export const UNSETTLED_LINES_MAX = 10_000
/** Of them, those that are refused. */
export const UNSETTLED_REFUSALS_MAX = 50
/** Answers that a client does not read; more, and it is not read either. */
export const UNREAD_BYTES_MAX = 64 << 10
/** A TLS handshake that takes longer is given up. */
export const HANDSHAKE_MS_MAX = 10_000
/** How long a peer that needs an access token may take to say its hello. */
export const HELLO_MS_MAX = 10_000
/** How long a peer may take to close its side after the collector closed its own. */
export const ENDING_MS_MAX = 10_000
