import { expect, test } from 'vitest'
import { openAudit } from '../../../lake/audit.ts'
import { MemoryStore } from '../../../lake/store/memory.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { TestAccess } from '../../sim/access.ts'
import { SimClock } from '../../sim/clock.ts'
import { simRandom } from '../../sim/random.ts'
import { apiRig } from './rig.ts'

async function recorded() {
  const clock = new SimClock(1_000)
  const store = new MemoryStore(clock)
  const audit = openAudit({ store, clock, random: simRandom(5) })
  const rig = await apiRig({ access: new TestAccess({ looks: 'viewer', all: 'admin' }), audit })
  const ask = (method: 'GET' | 'POST' | 'DELETE', url: string, token: string | null, payload?: object) =>
    rig.app.inject({
      method,
      url,
      ...(payload && { payload }),
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
    })
  return { rig, store, ask, acts: () => audit.list(0, 10_000) }
}

test('who starts and stops runs is recorded before it is answered, with what came of it', async () => {
  const { rig, ask, acts } = await recorded()
  await using _ = rig
  const { run } = (await ask('POST', '/v1/runs', 'all', { full: true })).json()
  const started = { who: 'token all', what: 'start run', result: 'done' }
  const about = { full: true, location: `/v1/runs/${run}`, address: '127.0.0.1' }
  expect(await acts()).toMatchObject([{ ...started, about }])
  await ask('DELETE', '/v1/runs/none', 'all')
  expect(await acts()).toContainEqual(
    expect.objectContaining({
      what: 'cancel run',
      about: { run: 'none', address: '127.0.0.1' },
      result: 'refused: status 404',
    }),
  )
})

test('who is refused, and who reads, fills no record', async () => {
  const { rig, ask, acts } = await recorded()
  await using _ = rig
  for (const token of [null, 'guessed', 'looks']) await ask('POST', '/v1/runs', token)
  await ask('POST', '/nowhere', 'all')
  await ask('GET', '/v1/runs', 'all')
  expect(await acts()).toEqual([])
})

test('an act that cannot be recorded is done, and said', async () => {
  const { rig, store, ask } = await recorded()
  await using _ = rig
  store.faults = () => {
    throw new TidemarkError('E_STORE', 'the bucket is away')
  }
  expect((await ask('POST', '/v1/runs', 'all')).statusCode).toBe(202)
  expect(rig.lines.some((line) => /start run by token all is not recorded.*bucket is away/.test(line))).toBe(
    true,
  )
})
