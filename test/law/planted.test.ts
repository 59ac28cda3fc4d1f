import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { findBugs } from '../simulator/find-bugs.ts'
import { ALL_PLANTED } from '../simulator/planted/planted.ts'

const found = findBugs(Object.keys(ALL_PLANTED), availableParallelism())

for (const [name, looking] of found) {
  test(`a planted bug is found, and nothing without it: ${name}`, async () => {
    const { seed, failure, failureWithout } = await looking
    if (seed !== ALL_PLANTED[name]!.seed)
      console.log(`${name}: not found by seed ${ALL_PLANTED[name]!.seed}; seed ${seed} fails: ${failure}`)
    expect(seed).not.toBeNull()
    expect(failureWithout).toBeNull()
  })
}
