import { expect, test } from 'vitest'
import { watching } from '../../../cli/access/watching.ts'
import { SimClock } from '../../sim/clock.ts'

test('what is wrong is said once until a look goes well, looks follow one another, and none comes after the end', async () => {
  const clock = new SimClock(0)
  const lines: string[] = []
  let looks = 0
  let trouble = ''
  const look = async () => {
    looks++
    await new Promise<void>((resolve) => void clock.after(5, resolve))
    if (trouble !== '') throw new Error(trouble)
  }
  const failed = (error: unknown) => (error as Error).message
  const watch = watching({ everyMs: 10, look, failed }, { clock, logLine: (line) => void lines.push(line) })
  await clock.advance(45)
  expect([looks, lines]).toEqual([3, []])
  for (const what of ['gone', 'gone', 'torn', '', 'torn']) {
    trouble = what
    await clock.advance(30)
  }
  expect(lines).toEqual(['gone', 'torn', 'torn'])
  const before = looks
  const closing = watch.close()
  await clock.advance(100)
  await closing
  expect(looks).toBe(before)
})
