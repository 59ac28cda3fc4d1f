import { expect, test } from 'vitest'
import { watchMemory } from '../../../cli/host/resident-memory.ts'

/** More than nothing and less than a process of Node has, and more than it ever will. */
const [LITTLE, MUCH] = [1 << 20, 2 ** 40]

for (const [by, hasProc] of [
  ['/proc', undefined],
  ['ps', false],
] as const)
  test(`the memory of a process is known by ${by}, and told of once when it is too much`, async () => {
    let told = 0
    const tell = () => {
      told += 1
    }
    const unwatch = watchMemory(process.pid, LITTLE, tell, hasProc)
    await expect.poll(() => told, { timeout: 10_000 }).toBe(1)
    unwatch()
    const never = watchMemory(process.pid, MUCH, tell, hasProc)
    const stopped = watchMemory(process.pid, LITTLE, tell, false)
    stopped()
    await new Promise((resolve) => setTimeout(resolve, 400))
    never()
    expect(told).toBe(1)
  })
