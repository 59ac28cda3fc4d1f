import { expect, test } from 'vitest'
import { Turns } from '../../schemas/turns.ts'

/** Work that ends when the test says so. */
function workshop() {
  const ends: { resolve(): void; reject(error: Error): void }[] = []
  const said: string[] = []
  const work = () => new Promise<void>((resolve, reject) => void ends.push({ resolve, reject }))
  return { ends, said, turns: new Turns(work, (line) => void said.push(line)) }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('one turn at a time; who asks while one waits shares it', async () => {
  const { ends, turns } = workshop()
  const first = turns.take()
  await settled()
  const shared = [turns.take(), turns.take()]
  expect(shared[1]).toBe(shared[0])
  await settled()
  expect(ends.length).toBe(1)
  ends[0]!.resolve()
  await first
  await settled()
  expect(ends.length).toBe(2)
  ends[1]!.resolve()
  await Promise.all(shared)
})

test('a failure is said, reaches who asked, and not the next turn', async () => {
  const { ends, said, turns } = workshop()
  const failed = expect(turns.take()).rejects.toThrow('disk on fire')
  await settled()
  const next = turns.take()
  ends[0]!.reject(new Error('disk on fire'))
  await failed
  expect([said.length, turns.failing]).toEqual([1, said[0]])
  await settled()
  ends[1]!.resolve()
  await next
  expect(turns.failing).toBe(null)
})

test('the end waits for the turn that is going on, and none begins after it', async () => {
  const { ends, turns } = workshop()
  const going = turns.take()
  await settled()
  const waiting = turns.take()
  let ended = false
  const end = turns.end().then(() => {
    ended = true
  })
  await settled()
  expect(ended).toBe(false)
  ends[0]!.resolve()
  await Promise.all([going, waiting, end])
  expect(ends.length).toBe(1)
})
