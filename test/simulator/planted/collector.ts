import type { PlantedBug } from '../planting/bug.ts'

/** Bugs of the collector: how it reads lines, whom it answers what, and what it holds. */
export const PLANTED_IN_COLLECTOR = {
  'welcome too high': {
    in: 'Sessions.take',
    change: { replace: 'session.durable', with: 'session.appended' },
    seed: 2,
  },
  'numbers of two datasets out of order': {
    in: 'Blocks.add',
    change: { drop: 'this.#flushBlock(before)' },
    faults: 'agents=3,crash=3,power=3,disk-slow',
    seed: 1,
  },
  'milliseconds dropped': {
    in: 'TimeReader.read',
    change: { value: 'this.value', with: '$ - ms' },
    seed: 1,
  },
  'numbers with leading zeros': {
    in: 'NumberReader.read',
    change: { replace: 'whole > 1', with: 'whole > 9' },
    faults: 'garbage=3',
    seed: 31,
  },
  'long numbers cut': {
    in: 'nearestOf',
    change: { returned: 'fromDecimal', with: 'fromDecimal(high, 0, 0, exponent + lowDigits)' },
    faults: 'none',
    seed: 1,
  },
  'times as numbers rounded': {
    in: 'LineDecoder.#readOther',
    change: { replace: 'Math.trunc', with: 'Math.round' },
    faults: 'none',
    seed: 15,
  },
  'west taken for east': {
    in: 'readTime',
    change: { condition: 'match[8]', with: 'false' },
    faults: 'none',
    seed: 2,
  },
  'answers for who reads none': {
    in: 'Connection.#mustStop',
    change: { replace: 'UNREAD_BYTES_MAX', with: '100 * $' },
    faults: 'flood=3',
    seed: 5,
  },
  'unsettled lines without end': {
    in: 'Connection.#mustStop',
    change: { replace: 'UNSETTLED_LINES_MAX', with: '100 * $' },
    faults: 'flood=3',
    seed: 8,
  },
  'refused lines without end': {
    in: 'Connection.#mustStop',
    change: { replace: 'UNSETTLED_REFUSALS_MAX', with: '100 * $' },
    faults: 'flood=3',
    seed: 5,
  },
  'congestion never relieved': {
    in: 'BackPressure.relieve',
    change: { drop: 'this.#congested = false' },
    faults: 'flood=3',
    seed: 29,
  },
  'refusal told before it is kept': {
    in: 'Conversation.#refuse',
    change: { replace: 'kept', with: 'Promise.race([$, null])' },
    faults: 'flood,garbage=3,disk-slow',
    seed: 3,
  },
  'refused lines fill the disk': {
    in: 'Rejects.#append',
    change: { condition: 'REJECTS_BYTES_MAX', with: 'used > REJECTS_BYTES_MAX' },
    faults: 'flood=3',
    seed: 5,
  },
  'found rejects not made durable': {
    in: 'Rejects.#append',
    change: { condition: 'this.#named', with: 'size === 0' },
    seed: 500_047,
  },
  'failed writes of rejects not counted': {
    in: 'Rejects.#append',
    change: { drop: 'this.#bytes = null' },
    seed: 501_058,
  },
  'everyone is let in': {
    in: 'listenForLines',
    change: { replace: 'REFUSED_CONNECTIONS_MAX', with: '10 * $' },
    faults: 'flood=3',
    seed: 1,
  },
  'silence is never taken for leaving': {
    in: 'Timeouts.#look',
    change: { value: 'idle', with: 'nowMs - this.#lastMs >= 10 * this.#idleMs' },
    faults: 'flood=3',
    steps: 8,
    seed: 1,
  },
  'silence as long as the clock stepped back': {
    in: 'Timeouts.#look',
    change: { drop: 'this.#steppedBack()' },
    faults: 'flood=3,clock=3',
    seed: 27,
  },
} as const satisfies { readonly [name: string]: PlantedBug }
