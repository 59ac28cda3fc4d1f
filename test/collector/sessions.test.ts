import { expect, test } from 'vitest'
import { AGENT_TWICE_MS } from '../../collector/intake/limits.ts'
import { REPEATS, Receipt, Sender, type SenderLink } from '../../collector/intake/sender.ts'
import { Sessions } from '../../collector/intake/sessions.ts'
import { SimLog } from '../sim/log.ts'

const LINK: SenderLink = {
  settled() {},
  async displace() {},
  flow() {},
  checkAccess() {},
  finish() {},
  hangUp() {},
  destroy() {},
}
const sender = () => new Sender('192.0.2.7', LINK)
const start = () => new Sessions(new SimLog(), () => {})

test('an agent that is gone is forgotten: the log knows its numbers', async () => {
  const sessions = start()
  const one = sender()
  await sessions.take('a', one, 0)
  sessions.isNew('a', 1)
  sessions.leave('a', one, 0)
  expect(sessions.size.agents).toBe(1)
  sessions.settled('a', 1, 1, true, 0)
  expect(sessions.size.agents).toBe(0)
})

test('which sender displaced which is remembered for a minute and no longer', async () => {
  const sessions = start()
  for (let i = 0; i < 100; i++) {
    const [older, newer] = [sender(), sender()]
    await sessions.take(`a${i}`, older, 0)
    await sessions.take(`a${i}`, newer, 0)
    sessions.leave(`a${i}`, older, 0)
    sessions.leave(`a${i}`, newer, 0)
  }
  expect(sessions.size.agents).toBe(100)
  await sessions.take('b', sender(), AGENT_TWICE_MS)
  expect(sessions.size.agents).toBe(1)
})

test('repeats of a connection that is gone do not wait on, however long the disk takes', async () => {
  const sessions = start()
  const first = sender()
  await sessions.take('a', first, 0)
  expect(sessions.isNew('a', 1)).toBe(true)
  for (let i = 0; i < 100; i++) {
    const again = sender()
    await sessions.take('a', again, i)
    expect(sessions.isNew('a', 1)).toBe(false)
    sessions.repeated('a', new Receipt(again, REPEATS, 1))
    sessions.leave('a', again, i)
  }
  expect(sessions.size).toEqual({ agents: 1, waiting: 0 })
})
