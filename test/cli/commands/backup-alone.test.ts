import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { aloneAt } from '../../../cli/commands/backup/alone.ts'
import { takeLease } from '../../../lake/lease.ts'
import { MemoryStore } from '../../../lake/store/memory.ts'
import { SimClock } from '../../sim/clock.ts'
import { simRandom } from '../../sim/random.ts'

const START_MS = Date.UTC(2026, 10, 22)
/** Above the highest that Linux and macOS give. */
const NO_PROCESS = 2 ** 30

function rig() {
  const clock = new SimClock(START_MS)
  const store = new MemoryStore(clock)
  let seed = 1
  const deps = () => ({
    clock,
    random: simRandom(seed++),
    lost: () => {},
    logLine: () => {},
    signal: new AbortController().signal,
  })
  /** What a process leaves that ends without giving the lease back. */
  const killed = async (owner: string, host = hostname()) => {
    await takeLease({ owner, host, holder: owner }, { store, ...deps() })
  }
  return { killed, alone: () => aloneAt(store, deps()) }
}

test('a second backup to one place is refused at its start by the name of the first, until that is over', async () => {
  const { alone } = rig()
  const first = await alone()
  await expect(alone()).rejects.toMatchObject({
    code: 'E_BACKUP',
    message: expect.stringMatching(/^the backup's place is owned by tidemark backup, process \d+ on /),
    hint: expect.stringMatching(/wait until it is over/),
  })
  await first.close()
  await (await alone()).close()
})

test('a backup that was killed on this machine holds up none', async () => {
  const { killed, alone } = rig()
  await killed(`backup ${NO_PROCESS} 0@${hostname()}`)
  await (await alone()).close()
})

test.each([
  ['of another machine', `backup ${NO_PROCESS} 0@elsewhere`, 'elsewhere'],
  ['that runs', `backup ${process.ppid} 0@${hostname()}`, hostname()],
])('one %s does, as long as its lease lasts', async (_, owner, host) => {
  const { killed, alone } = rig()
  await killed(owner, host)
  await expect(alone()).rejects.toMatchObject({ code: 'E_BACKUP' })
})
