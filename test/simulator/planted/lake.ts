import type { PlantedBug } from '../planting/bug.ts'

/** Bugs of the tables, and of the lake writer. */
export const PLANTED_IN_LAKE = {
  'trim too early': {
    in: 'Writer.#trim',
    change: {
      argument: 'log.trim',
      with: 'Object.fromEntries(log.partitions().map((partition) => [partition, log.end(partition)]))',
    },
    seed: 54,
  },
  'two writers append one range': {
    in: 'conflictOf',
    change: { condition: 'setAt', with: 'false' },
    seed: 5,
  },
  'a commit takes the place of one that no list shows': {
    in: 'putVersion',
    change: {
      replace: 'putUntilClear()',
      with: '(!(await log.list()).commits.includes(version) && (await log.store.put(key, bytes), true))',
    },
    faults: 'store-stale=3,twins=3',
    seed: 59,
  },
  'checkpoint lacks a file': {
    in: 'encodeCheckpoint',
    change: { replace: 'state.files.values()', with: '[...$].slice(1)' },
    seed: 120,
  },
  'files removed too early': {
    in: 'unneeded',
    change: { replace: 'unnamedMs', with: '$ + 86_400_000' },
    faults: 'twins=3,store-slow=3,layer-slow',
    seed: 252,
  },
  'gap not sealed': {
    in: 'Sealing.#seal',
    change: { replace: 'sealed.gaps', with: '[]' },
    seed: 3,
  },
  'deleted journal without a gap': {
    in: 'closeLostPartitions',
    change: { replace: 'mergeGaps()', with: 'mergeGaps(facts.gaps, gaps.slice(1))' },
    seed: 9,
  },
  'sealed again by the dataset ahead': {
    in: 'addTo',
    change: { replace: 'found.after', with: '-1' },
    faults: 'layer-slow=3,store-error=3,crash=3',
    seed: 29,
  },
  'found names not made durable': {
    in: 'settle',
    change: { drop: 'disk.syncDir()' },
    faults: 'power=3,crash=3',
    seed: 263,
  },
} as const satisfies { readonly [name: string]: PlantedBug }
