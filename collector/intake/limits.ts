/** Limits of the intake that are not settings, whatever the protocol; docs/protocol.md lists them all. */

/** A message may be dated this far ahead of the collector's clock. */
export const AHEAD_MS_MAX = 10 * 60_000
/** A clock that went back by less is taken for one that is corrected. */
export const STEP_BACK_MS_MIN = 60_000
/** So long what a hello said of the sender's clock is believed, where that of this machine may be wrong. */
export const CLOCK_AGREED_MS = 10_000
/** So long a sender that does not say what its clock shows is told to keep what is ahead of a clock that went back. */
export const CLOCK_WAIT_MS_MAX = 3_600_000
/** So long after a sender was told to keep its messages because of a clock, the readiness says so. */
export const CLOCK_SAID_MS = 120_000
/** Characters of an attribute. */
export const ATTRIBUTE_CHARACTERS_MAX = 1_024
/** Bytes that wait to be durable, refused lines included; above it nothing is read but hellos, until half of it is left. */
export const PENDING_BYTES_MAX = 16 << 20
/** All files of `rejects/` together; further refused lines are only counted. */
export const REJECTS_BYTES_MAX = 64 << 20
/** Connections above `collector.connections_max` that are told so; still further ones are closed without a word. */
export const REFUSED_CONNECTIONS_MAX = 100
/** Two senders with one id that displace each other within this time are told so. */
export const AGENT_TWICE_MS = 60_000
/** A name of a service or host that was not seen for so long makes room for others. */
export const NAME_KEPT_HOURS = 24
/** Longest wait for what was delivered to become durable, when the collector closes. */
export const CLOSE_MS_MAX = 3_000
/** Then, how long the peers may take to close theirs. */
export const GOODBYE_MS_MAX = 500
/** Samples that one hello can say were lost: three years of one a second. More count as so many. */
export const LOST_SAMPLES_MAX = 100_000_000
/** Agents that the status knows of, of those not connected any more the last ones. */
export const SEEN_AGENTS_MAX = 10_000
/** Refused lines that the status tells of. */
export const SEEN_REFUSALS_MAX = 20
/** How long the start waits for the names that the lake holds. */
export const KNOWN_NAMES_MS_MAX = 10_000
