import { expect, test } from 'vitest'
import { Limited, READ_MS_MAX } from '../../../agent/gauges/limited.ts'
import { SimClock } from '../../sim/clock.ts'

/** A question that a test answers. */
function question(clock: SimClock) {
  const asked: ((answer: string) => void)[] = []
  const limited = new Limited(clock, () => new Promise<string>((resolve) => asked.push(resolve)))
  return { asked, limited }
}

test('who asks while the question is out gets the same answer, and nothing is left waiting', async () => {
  const clock = new SimClock(0)
  const { asked, limited } = question(clock)
  const both = Promise.all([limited.answer(), limited.answer()])
  await clock.advance(READ_MS_MAX - 1)
  asked[0]!('here')
  expect(await both).toEqual(['here', 'here'])
  await clock.advance(0)
  expect([asked.length, clock.pending]).toEqual([1, 0])
})

test('without an answer it is given up in time, and asked again only when it was answered after all', async () => {
  const clock = new SimClock(0)
  const { asked, limited } = question(clock)
  const first = expect(limited.answer()).rejects.toMatchObject({ code: 'E_SAMPLE' })
  await clock.advance(READ_MS_MAX)
  await first
  await expect(limited.answer()).rejects.toMatchObject({ code: 'E_SAMPLE' })
  expect(asked).toHaveLength(1)
  asked[0]!('late')
  await clock.advance(0)
  const second = limited.answer()
  asked[1]!('in time')
  expect(await second).toBe('in time')
})

test('what fails fails at once, and can be asked again', async () => {
  const clock = new SimClock(0)
  let fails = true
  const limited = new Limited(clock, async () => {
    if (fails) throw new Error('no')
    return 'yes'
  })
  await expect(limited.answer()).rejects.toThrow('no')
  fails = false
  expect([await limited.answer(), clock.pending]).toEqual(['yes', 0])
})
