import type { PlantedBug } from '../planted.ts'

/** Bugs that histories of a cluster must find: each makes a reader count a message twice or not at all, or keeps answers from being whole. */
export const PLANTED_IN_CLUSTER = {
  'repeats not dropped': {
    file: 'log/repeats.ts',
    find: 'isNew = seq[i]! > agent.seq',
    plant: 'isNew = seq[i]! > agent.seq - 1',
    seed: 1,
  },
  'ids of blocks ignored': {
    file: 'log/repeats.ts',
    find: 'if (this.#ids.has(block.id)) return new Uint16Array()',
    plant: '',
    seed: 1,
  },
  'what is known of repeats begins empty': {
    file: 'lake/tables/repeat-states.ts',
    find: 'return { position: at, repeats: new Repeats(state) }',
    plant: 'return { position: at, repeats: new Repeats() }',
    seed: 1,
  },
  'state of repeats not kept by the lake writer': {
    file: 'lake/writer/sealing.ts',
    find: "await states?.keep('lake-writer', { partition, position }, repeats)",
    plant: 'void states',
    seed: 36,
  },
  'rows move up in their block': {
    file: 'lake/writer/seal-batch.ts',
    find: 'rows?.[i] ?? i',
    plant: 'rows === null ? i : i',
    seed: 1,
  },
  'no fence between two workers': {
    file: 'lake/delta/commit.ts',
    find: 'if (setAt > base.version) return',
    plant: 'if (setAt < -1) return',
    seed: 19,
  },
  'state of repeats is not made again': {
    file: 'lake/tables/repeat-states.ts',
    find: 'if (block.offset <= to.position) repeats.accept(block)',
    plant: 'void block',
    seed: 1,
  },
  'ticks of the published definition end with a change': {
    file: 'speed/targets.ts',
    find: 'if (state) views.set(state.hash, parseDefinition(state.definition))',
    plant: 'void parseDefinition',
    seed: 1,
  },
  'no room for clocks that differ': {
    file: 'lake/delta/cleanup.ts',
    find: 'Math.max(retentionMs, UNNAMED_KEPT_MS)',
    plant: 'retentionMs',
    seed: 33,
  },
} as const satisfies { readonly [name: string]: PlantedBug }
