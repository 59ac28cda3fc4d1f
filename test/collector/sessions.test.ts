import { expect, test } from 'vitest'
import { AGENT_TWICE_MS } from '../../collector/intake/limits.ts'
import { type Held, Sessions } from '../../collector/intake/sessions.ts'
import { SimLog } from '../sim/log.ts'

const holder = (): Held => ({ displace: async () => {} })

test('an agent that is gone is forgotten: the log knows its numbers', async () => {
  const sessions = new Sessions(new SimLog())
  const one = holder()
  await sessions.take('a', one, 0)
  sessions.isNew('a', 1)
  sessions.leave('a', one, 0)
  expect(sessions.size.agents).toBe(1)
  sessions.settled('a', 1, 1, true, 0)
  expect(sessions.size.agents).toBe(0)
})

test('who displaced whom is remembered for a minute and no longer', async () => {
  const sessions = new Sessions(new SimLog())
  for (let i = 0; i < 100; i++) {
    const [older, newer] = [holder(), holder()]
    await sessions.take(`a${i}`, older, 0)
    await sessions.take(`a${i}`, newer, 0)
    sessions.leave(`a${i}`, older, 0)
    sessions.leave(`a${i}`, newer, 0)
  }
  expect(sessions.size.agents).toBe(100)
  await sessions.take('b', holder(), AGENT_TWICE_MS)
  expect(sessions.size.agents).toBe(1)
})

test('repeats of a connection that is gone do not wait on, however long the disk takes', async () => {
  const sessions = new Sessions(new SimLog())
  const first = holder()
  await sessions.take('a', first, 0)
  expect(sessions.isNew('a', 1)).toBe(true)
  for (let i = 0; i < 100; i++) {
    const again = holder()
    await sessions.take('a', again, i)
    expect(sessions.isNew('a', 1)).toBe(false)
    sessions.repeated('a', { seq: 1 }, again, () => {})
    sessions.leave('a', again, i)
  }
  expect(sessions.size).toEqual({ agents: 1, waiting: 0 })
})
