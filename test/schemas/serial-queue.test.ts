import { expect, test } from 'vitest'
import { serialQueue } from '../../schemas/serial-queue.ts'
import { workshop } from './workshop.ts'

test('each begins when the one before has ended, however that ended', async () => {
  const { begun, work, settled } = workshop<string>()
  const inTurn = serialQueue()
  const first = inTurn(work)
  const second = inTurn(work)
  const third = inTurn(async () => 3)
  await settled()
  expect(begun.length).toBe(1)
  begun[0]!.reject(new Error('no'))
  await expect(first).rejects.toThrow('no')
  await settled()
  expect(begun.length).toBe(2)
  begun[1]!.resolve('two')
  expect(await Promise.all([second, third])).toEqual(['two', 3])
})
