import { expect, test } from 'vitest'
import { startHealth } from '../../../cli/compose/health.ts'

test('a layer alone tells that it lives, whether it works and its figures', async () => {
  let why: string[] = ['start: the lake is out of reach']
  const health = await startHealth(
    { host: '127.0.0.1', port: 0 },
    { reasons: async () => why, status: async () => (why.length > 0 ? null : { log: { bytes: 5 } }) },
  )
  try {
    const get = (path: string) => fetch(`${health.url}${path}`)
    expect((await get('/healthz')).status).toBe(200)
    const waiting = await get('/readyz')
    expect([waiting.status, await waiting.json()]).toEqual([503, { ready: false, reasons: why }])
    expect(await (await get('/metrics')).text()).toMatch(/^tidemark_ready 0$/m)
    why = []
    expect((await get('/readyz')).status).toBe(200)
    expect(await (await get('/metrics')).text()).toContain('tidemark_log_bytes 5\n')
    expect((await get('/v1/services')).status).toBe(404)
  } finally {
    await health.close()
  }
})
