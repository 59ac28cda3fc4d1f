import { expect, test } from 'vitest'
import { ImportBar } from '../../../../cli/commands/import/bar.ts'

function shown(isTerminal: boolean) {
  const lines: string[] = []
  let nowMs = 1_000
  const bar = new ImportBar(
    { isTerminal, err: (text) => void lines.push(text.replaceAll('\r', '').trim()) },
    { nowMs: () => nowMs },
  )
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { bar, lines, pass }
}

test('on a terminal a bar says how far reading and writing are, how fast, and how long it will take', () => {
  const { bar, lines, pass } = shown(true)
  bar.reads(0, 500e6)
  pass(2_000)
  bar.reads(0.2, 500e6)
  pass(3_000)
  bar.writes(0, 8_000_000)
  pass(1_000)
  bar.writes(0.5, 8_000_000)
  pass(400_000)
  bar.writes(0.51, 8_000_000)
  bar.clear()
  expect(lines).toEqual([
    '[------------------------------] reads, 0 %',
    '[######------------------------] reads, 20 %, 50 MB/s, 8 s left',
    '[------------------------------] writes, 0 %',
    '[###############---------------] writes, 50 %, 4,000,000 rows/s, 1 s left',
    '[###############---------------] writes, 51 %, 10,175 rows/s, 6 min left',
    '',
  ])
})

test('elsewhere nothing is drawn', () => {
  const { bar, lines } = shown(false)
  bar.reads(0.5, 1)
  bar.writes(0.5, 1)
  bar.clear()
  expect(lines).toEqual([])
})
