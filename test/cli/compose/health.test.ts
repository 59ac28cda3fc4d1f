import { expect, test } from 'vitest'
import { startHealth } from '../../../cli/compose/health.ts'
import { metricsText } from '../../../cli/compose/metrics-text.ts'

test('the figures of a layer are Prometheus text, with labels for what comes several times', () => {
  const chains = [
    { view: 'a"b', hash: '7c', readTo: 3, openCells: 0 },
    { view: 'c', hash: '8d', readTo: 4, openCells: 1 },
  ]
  const status = {
    ready: true,
    speed: { state: 'ok', reason: null, chains },
    lake: { covered: { 0: 7, 2: 9 } },
  }
  expect(metricsText('tidemark', status)).toBe(`# TYPE tidemark_ready gauge
tidemark_ready 1
# TYPE tidemark_speed_chains_read_to gauge
tidemark_speed_chains_read_to{view="a\\"b",hash="7c"} 3
tidemark_speed_chains_read_to{view="c",hash="8d"} 4
# TYPE tidemark_speed_chains_open_cells gauge
tidemark_speed_chains_open_cells{view="a\\"b",hash="7c"} 0
tidemark_speed_chains_open_cells{view="c",hash="8d"} 1
# TYPE tidemark_lake_covered gauge
tidemark_lake_covered{partition="0"} 7
tidemark_lake_covered{partition="2"} 9
`)
})

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
    expect(await (await get('/metrics')).text()).toBe('# TYPE tidemark_ready gauge\ntidemark_ready 0\n')
    why = []
    expect((await get('/readyz')).status).toBe(200)
    expect(await (await get('/metrics')).text()).toContain('tidemark_log_bytes 5\n')
    expect((await get('/v1/services')).status).toBe(404)
  } finally {
    await health.close()
  }
})
