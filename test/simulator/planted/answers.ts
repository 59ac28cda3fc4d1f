import type { PlantedBug } from '../planting/bug.ts'

/** Bugs of what is computed and answered: speed, batch, serving. */
export const PLANTED_IN_ANSWERS = {
  'late message dropped': {
    in: 'Chain.add',
    change: {
      argument: 'this.#open.cells.addAll',
      with: '$, (i) => messages.timeMs[i] > first.logTimeMs - 86_400_000',
    },
    seed: 3,
  },
  'cells of another dataset': {
    in: 'Chain.add',
    change: { condition: 'this.view.dataset', with: 'true' },
    steps: 8,
    seed: 1,
  },
  'tick on both sides of the tidemark': {
    in: 'chainsOf',
    change: {
      replace: 'chainFrom()',
      with: 'ticks.filter((t) => t.hash === hash && t.partition === partition)',
    },
    seed: 1,
  },
  'index grows before it is switched': {
    in: 'load',
    change: {
      before: 'fillMissing()',
      with: `const grown = (await before.ticks.become(view, ticks.cells, pause))()
        before.ticks.become = async () => () => grown`,
    },
    seed: 8,
  },
  'publish in two steps': {
    in: 'publish',
    change: {
      before: 'table.commit()',
      with: `const { add, remove } = made
        base = await table.commit(base, { operation: 'PUBLISH', add, remove, dataChange: true })
        made = { ...made, add: [], remove: [] }`,
    },
    seed: 1,
  },
  'two runs publish over each other': {
    in: 'publish',
    change: {
      before: "isError(error, 'E_CONFLICT')",
      with: `if (isError(error, 'E_CONFLICT')) {
        const now = await table.snapshot()
        const remove = made.remove.filter((path) => now.files.has(path))
        return publish(plan, { ...made, remove }, run, { table, base: now, clock })
      }`,
    },
    faults: 'twins=3,layer-slow=3,late',
    seed: 3,
  },
  'carried hours lost': {
    in: 'usableBase',
    change: { returned: 'date.base', with: 'null' },
    seed: 6,
  },
  'damaged view never made again': {
    in: 'usableBase',
    change: { condition: 'isError()', with: 'true' },
    faults: 'flip=3,late',
    seed: 51,
  },
  'gap of a damaged file too short': {
    in: 'gapsOf',
    change: { value: 'toMs', with: 'Math.min(...starts)' },
    faults: 'flip=3,late',
    seed: 51,
  },
} as const satisfies { readonly [name: string]: PlantedBug }
