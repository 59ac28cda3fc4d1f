import type { PlantedBug } from '../planting/bug.ts'

/** Bugs of the agent's spool. */
export const PLANTED_IN_AGENT = {
  'spool not synced': {
    in: 'SpoolWriter.append',
    change: { drop: 'file.sync()' },
    faults: 'agents=3,cut=3,crash=3',
    steps: 16,
    seed: 8,
  },
  'spool under a new id each start': {
    in: 'firstHead',
    change: {
      replace: 'files.at()?.head',
      with: '{ agent: random.hex(AGENT_ID_BYTES), base: files.at(-1)?.head.base ?? 0 }',
    },
    faults: 'agents=3,cut=3,crash=3',
    seed: 1,
  },
  'no room for another file, and the newest is removed': {
    in: 'SpoolWriter.removeSettled',
    change: { value: 'kept', with: '1' },
    faults: 'agents=3,cut=3,crash=3,spool=3',
    seed: 810072,
  },
  'lost for want of room and not counted': {
    in: 'SpoolState.giveUpOldest',
    change: { drop: 'this.lost += this.#waitingIn()' },
    faults: 'spool=3,crash=3',
    seed: 15,
  },
  'newest lost instead of the oldest': {
    in: 'SpoolState.giveUpOldest',
    change: { replace: 'this.files.shift()', with: 'this.files.splice(-2, 1)[0]' },
    faults: 'spool=3,crash=3',
    seed: 36,
  },
  'numbers left out wait': {
    in: 'SpoolState.size',
    change: { replace: 'this.files.reduce()', with: 'this.newest.last - this.gone' },
    faults: 'spool=3,crash=3,power=3,agents',
    seed: 45,
  },
} as const satisfies { readonly [name: string]: PlantedBug }
