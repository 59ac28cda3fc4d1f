import type { PlantedBug } from '../planting/bug.ts'

/** Bugs that histories of a cluster must find: each makes a reader count a message twice or not at all, or keeps answers from being whole. */
export const PLANTED_IN_CLUSTER = {
  'repeats not dropped': {
    in: 'Repeats.#newRows',
    change: { replace: 'seq[i] > agent.seq', with: '$ - 1' },
    seed: 1,
  },
  'new messages lost behind repeats': {
    in: 'Repeats.#newRows',
    change: { replace: 'kept.slice()', with: 'new Uint16Array()' },
    seed: 1,
  },
  'ids of blocks ignored': {
    in: 'Repeats.accept',
    change: { condition: 'this.#ids.has()', with: 'false' },
    seed: 1,
  },
  'what is known of repeats begins empty': {
    in: 'RepeatStates.#newestFrom',
    change: { returned: 'new Repeats(state)', with: '{ position: at, repeats: new Repeats() }' },
    seed: 1,
  },
  'state of repeats not kept by the lake writer': {
    in: 'Sealing.#keep',
    change: { drop: 'states?.keep()' },
    seed: 106,
  },
  'rows move up in their block': {
    in: 'Draft.add',
    change: { replace: 'rows?.[i]', with: 'null' },
    seed: 1,
  },
  'no fence between two workers': {
    in: 'conflictOf',
    change: { condition: 'setAt', with: 'false' },
    seed: 23,
  },
  'state of repeats is not made again': {
    in: 'foldTo',
    change: { drop: 'repeats.accept()' },
    seed: 1,
  },
  'ticks of the published definition end with a change': {
    in: 'targets',
    change: { drop: 'views.set(state.hash)' },
    seed: 1,
  },
  'a version is free when no list shows it': {
    in: 'putUntilClear',
    change: {
      replace: 'store.putIfAbsent()',
      with: '((await store.list(key)).length === 0 && (await store.put(key, bytes), true))',
    },
    seed: 16,
  },
  'no room for clocks that differ': {
    in: 'cutoffs',
    change: { replace: 'Math.max()', with: 'retentionMs' },
    seed: 126,
  },
} as const satisfies { readonly [name: string]: PlantedBug }
