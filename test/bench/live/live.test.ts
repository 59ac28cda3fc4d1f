import { expect, test } from 'vitest'
import { benchLive, liveText } from '../../../bench/live/live.ts'

test('the live benchmark runs small and says what it measured', async () => {
  const result = await benchLive(5, 2, 3)
  expect(result.up.visibleMs.p50).toBeGreaterThan(0)
  expect(liveText(result)).toMatch(/5 followers.*cores.*Node v[\s\S]*tidemark up.*budget[\s\S]*up \/ floor/)
}, 120_000)
