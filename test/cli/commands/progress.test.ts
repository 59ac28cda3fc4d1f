import { expect, test } from 'vitest'
import { progressBar, withProgress } from '../../../cli/commands/progress.ts'
import { SimClock } from '../../sim/clock.ts'

test('a bar says how much is done', () => {
  expect(progressBar({ done: 1, total: 3 })).toBe('[##########--------------------] 1 of 3 dates')
  expect(progressBar({ done: 0, total: 0 })).toMatch(/^\[#{30}\]/)
})

test('it is drawn on a terminal alone, and gone at the end', async () => {
  for (const isTerminal of [true, false]) {
    const clock = new SimClock(0)
    let shown = ''
    const io = {
      isTerminal,
      err: (text: string) => {
        shown += text
      },
    }
    const ask = async () => ({ done: 2, total: 4 })
    expect(await withProgress(io, clock, ask, () => clock.advance(500).then(() => 'done'))).toBe('done')
    expect(shown.includes('2 of 4 dates')).toBe(isTerminal)
    expect(shown === '' || shown.endsWith(' \r')).toBe(true)
    expect(clock.pending).toBe(0)
  }
})
