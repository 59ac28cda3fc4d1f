import { expect, test } from 'vitest'
import { type Progress, progressBar, progressLine, withProgress } from '../../../cli/commands/progress.ts'
import { SimClock } from '../../sim/clock.ts'

test('a bar says how much is done, and before that what is being done', () => {
  expect(progressBar({ stage: 'compute', dates: { done: 1, total: 3 } })).toBe(
    '[##########--------------------] 1 of 3 dates',
  )
  expect(progressBar({ stage: 'publish', dates: { done: 0, total: 0 } })).toMatch(/^\[#{30}\]/)
  expect(progressBar({ stage: 'seal', dates: null })).toMatch(/^\[-{30}\] seals/)
  expect(progressLine({ stage: 'compute', dates: { done: 1, total: 3 } })).toBe('computes, 1 of 3 dates')
})

/** What is shown of a run that computes a date every 100 ms for 5 s. */
async function shownOf(isTerminal: boolean): Promise<string> {
  const clock = new SimClock(0)
  let shown = ''
  const err = (text: string) => {
    shown += text
  }
  const ask = (): Progress => {
    const done = Math.floor(clock.nowMs() / 100)
    return done < 10 ? { stage: 'seal', dates: null } : { stage: 'compute', dates: { done, total: 50 } }
  }
  const work = () => clock.advance(4_900).then(() => 'done')
  expect(await withProgress({ isTerminal, err }, clock, 'run 1', ask, work)).toBe('done')
  expect(clock.pending).toBe(0)
  return shown
}

test('on a terminal it is drawn in one line, which is gone at the end', async () => {
  const shown = await shownOf(true)
  expect(shown).toMatch(/] 48 of 50 dates\r +\r$/)
  expect(shown).not.toContain('\n')
})

test('elsewhere it is a line a stage, and one every two seconds', async () => {
  expect(await shownOf(false)).toBe(
    ['run 1 seals the log', 'run 1 computes, 10 of 50 dates', 'run 1 computes, 30 of 50 dates', ''].join(
      '\n',
    ),
  )
})
