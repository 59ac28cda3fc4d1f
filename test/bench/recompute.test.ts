import { expect, test } from 'vitest'
import { benchRecompute, recomputeText } from '../../bench/recompute.ts'

test('the recompute benchmark runs small and says what it measured', async () => {
  const result = await benchRecompute(20_000, 1)
  expect(result.hash).toMatch(/^[0-9a-f]{16}$/)
  expect(recomputeText(result)).toMatch(/cores.*Node v[\s\S]*ties exact.*run \/ it = \d/)
})
