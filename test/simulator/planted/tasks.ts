import type { PlantedBug } from '../planting/bug.ts'

/** Bugs of what people do to the history: each is found by a task. */
export const PLANTED_IN_TASKS = {
  'rows lost in a merge': {
    in: 'mergeOnce',
    change: {
      value: 'parts',
      with: 'await Promise.all(inputs.slice(1).map((file) => messages.readFile(file)))',
    },
    faults: 'upkeep=3',
    seed: 5,
  },
  'the vacuum takes what older versions need': {
    in: 'cutoffs',
    change: { value: 'olderMs', with: 'timeMs' },
    faults: 'upkeep=3',
    seed: 5,
  },
  'answers keep what was erased': {
    in: 'planNow',
    change: { value: 'removedDates', with: '[]' },
    faults: 'erase=3,late=3',
    seed: 3,
  },
  'not erased to the end of what was accepted': {
    in: 'erasedIn',
    change: { replace: 'offsetIn()', with: '$ - 1' },
    faults: 'erase=3',
    seed: 3,
  },
  'a file imported again counts twice': {
    in: 'Importing.commit',
    change: { condition: 'isImported()', with: 'false' },
    faults: 'import=3',
    seed: 6,
  },
  'corrections that no run sees': {
    in: 'correct',
    change: { value: 'dataChange', with: 'false' },
    faults: 'correct=3',
    seed: 16,
  },
  'corrected by a number that another has': {
    in: 'keysAt',
    change: { replace: 'columns.seq[i]', with: '$ + 1' },
    faults: 'correct=3',
    seed: 16,
  },
  'the journal is not read again for a backup': {
    in: 'backUp',
    change: { drop: 'journal.again()' },
    faults: 'backup=3',
    steps: 8,
    seed: 7,
  },
  'what expires is not counted any more': {
    in: 'withFrozen',
    change: { condition: 'fitting.length', with: 'true' },
    faults: 'expire=3',
    seed: 1,
  },
  'what is not published expires': {
    in: 'expiredIn',
    change: { replace: 'offsetIn()', with: 'Number.MAX_SAFE_INTEGER' },
    faults: 'expire=3,late=3',
    seed: 20,
  },
  'an expiry that ended in the middle counts twice': {
    in: 'frozenFiles',
    change: { condition: 'messages.txns.get()', with: 'false' },
    faults: 'expire=3,late=3',
    seed: 258,
  },
} as const satisfies { readonly [name: string]: PlantedBug }
