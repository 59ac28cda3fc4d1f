import { expect, test } from 'vitest'
import type { SeenAgent } from '../../../schemas/ports/senders.ts'
import { apiRig, NOW_MS } from './rig.ts'

const agent = (id: string, more: Partial<SeenAgent> = {}): SeenAgent => ({
  agent: id,
  names: ['checkout', `${id}-host`],
  dataset: 'host',
  remote: '10.0.0.1',
  version: '0.1.0',
  scope: 'host',
  connected: true,
  sinceMs: NOW_MS - 60_000,
  newestMs: NOW_MS - 1_000,
  accepted: 59,
  lost: 0,
  ...more,
})

test('agents are told with their lag, found by any of their names, the furthest behind first', async () => {
  const agents = [agent('a'), agent('b', { newestMs: NOW_MS - 90_000 }), agent('c', { newestMs: null })]
  const refusal = { timeMs: NOW_MS, remote: '::1', agent: null, code: 'E_JSON', field: null, reason: 'no' }
  const senders = { agents: async () => agents, refusals: async () => [refusal] }
  await using rig = await apiRig({ senders })
  const ask = async (url: string) => (await rig.app.inject({ url })).json()
  const page = await ask('/v1/agents?sort=-lag_ms&limit=2')
  expect([page.total, page.agents.map((one: { agent: string }) => one.agent)]).toEqual([3, ['b', 'a']])
  expect(page.agents[0]).toMatchObject({ since: '2026-11-22T11:59:00.000Z', lost: 0 })
  expect(page.agents[0].lag_ms - 90_000).toBeLessThan(1_000)
  const rest = await ask(`/v1/agents?sort=-lag_ms&after=${page.next}`)
  expect(rest.agents).toMatchObject([{ agent: 'c', lag_ms: null, newest: null }])
  expect(await ask('/v1/agents?q=B-HOST')).toMatchObject({ total: 1, agents: [{ agent: 'b' }] })
  expect(await ask('/v1/agents?connected=0')).toEqual({ agents: [], total: 0 })
  expect((await rig.app.inject({ url: '/v1/agents?sort=remote' })).statusCode).toBe(400)
  expect(await ask('/v1/rejects')).toEqual({
    rejects: [
      {
        time: '2026-11-22T12:00:00.000Z',
        remote: '::1',
        agent: null,
        code: 'E_JSON',
        field: null,
        reason: 'no',
      },
    ],
  })
})

test('where no collector runs, nothing is told of senders', async () => {
  await using rig = await apiRig()
  expect((await rig.app.inject({ url: '/v1/agents' })).statusCode).toBe(404)
})
