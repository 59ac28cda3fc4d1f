/** Limits of the collector that are not settings; docs/protocol.md lists them all. */

/** A message may be dated this far ahead of the collector's clock. */
export const AHEAD_MS_MAX = 10 * 60_000
/** Characters of an attribute. */
export const ATTRIBUTE_CHARACTERS_MAX = 1_024
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
/** Bytes that wait to be durable, refused lines included; above it nothing is read but hellos, until half of it is left. */
export const PENDING_BYTES_MAX = 16 << 20
/** Answers that a client does not read; more, and it is not read either. */
export const UNREAD_BYTES_MAX = 64 << 10
/** All files of `rejects/` together; further refused lines are only counted. */
export const REJECTS_BYTES_MAX = 64 << 20
/** Connections above `collector.connections_max` that are told so; still further ones are closed without a word. */
export const REFUSED_CONNECTIONS_MAX = 100
/** A TLS handshake that takes longer is given up. */
export const HANDSHAKE_MS_MAX = 10_000
/** How long a peer that needs an access token may take to say its hello. */
export const HELLO_MS_MAX = 10_000
/** Two senders with one id that displace each other within this time are told so. */
export const AGENT_TWICE_MS = 60_000
/** A name of a service or host that was not seen for so long makes room for others. */
export const NAME_KEPT_HOURS = 24
/** How long a peer may take to close its side after the collector closed its own. */
export const ENDING_MS_MAX = 10_000
/** Longest wait for what was delivered to become durable, when the collector closes. */
export const CLOSE_MS_MAX = 3_000
/** Then, how long the peers may take to close theirs. */
export const GOODBYE_MS_MAX = 500
