import type { PlantedBug } from '../planting/bug.ts'

/** Bugs of the journal, and of the log as it is read from another thread. */
export const PLANTED_IN_JOURNAL = {
  'ack before sync': {
    in: 'Journal.#write',
    change: { drop: 'segment.file.sync()' },
    seed: 8,
  },
  'offset used twice': {
    in: 'openOrBegin',
    change: { replace: 'lastOffset(opened) < lostTo', with: 'lastOffset(opened) < opened.lostTo' },
    faults: 'flip=3,crash=3',
    seed: 125,
  },
  'repeat state lost': {
    in: 'openBehind',
    change: { argument: 'recovery.agentsOf', with: 'new Map()' },
    faults: 'crash=3,power=3,cut=3,agents',
    seed: 5,
  },
  'agents forgotten with the journal': {
    in: 'openOrBegin',
    change: { argument: 'recovery.agentsOf', with: 'new Map()' },
    faults: 'journal=3,cut,crash',
    seed: 9,
  },
  'removals not durable one by one': {
    in: 'Journal.trim',
    change: { drop: 'this.#deps.disk.syncDir()' },
    faults: 'power=3,crash,disk-error=3',
    seed: 28,
  },
  'block lost between threads': {
    in: 'serveLog',
    change: {
      argument: 'Transferred',
      with: '{ ...slice, to: slice.to + Math.min(1, blocks.length), packed }',
    },
    faults: 'none',
    seed: 1,
  },
  'gap lost between threads': {
    in: 'remoteLog',
    change: { replace: 'slice', with: '{ ...$, gaps: [] }' },
    faults: 'flip=3,crash=3',
    seed: 20,
  },
  'sealing never relieves': {
    in: 'serveLog',
    change: { argument: 'log.covered', with: '{ ...$, ...log.partitions().map(() => -1) }' },
    seed: 1,
  },
} as const satisfies { readonly [name: string]: PlantedBug }
