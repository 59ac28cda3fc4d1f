import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { UNSCHEDULED } from '../../bench/runs.ts'
import { lintMetrics, promtool } from './metrics.ts'
import { needs } from './needs.ts'
import { type Running, startUp } from './up.ts'
import { ackMs, counted, until } from './watch.ts'

/** What others ask of a running server, who know it by its document alone. */
const SCHEMATHESIS = join(import.meta.dirname, '../../.cache/python/bin/schemathesis')
const SECONDS_MAX = 60

let dir: string
let up: Running

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-client-'))
  up = await startUp(join(dir, 'data'), UNSCHEDULED)
  await ackMs(up.collector.port, 'web')
  await until('the message is counted', async () => (await counted(up, 'web')) > 0)
})

afterAll(async () => {
  await up?.end('SIGTERM')
  await rm(dir, { recursive: true })
})

test.runIf(needs('schemathesis (pip)', existsSync(SCHEMATHESIS)))(
  'whatever the document allows or forbids, schemathesis finds no answer that it does not name',
  async () => {
    const args = [
      ...['run', `${up.serving}/openapi.json`, '--no-color', '--seed', '1', '--max-time', `${SECONDS_MAX}`],
      // It has no end.
      ...['--exclude-path', '/v1/live'],
      // Times, cursors and SQL are checked by what they mean, for which schemas have no word; a cancelled run is still told of.
      ...['--exclude-checks', 'positive_data_acceptance,use_after_free'],
    ]
    const found = await promisify(execFile)(SCHEMATHESIS, args, { cwd: dir, maxBuffer: 1 << 26 }).then(
      () => '',
      ({ stdout, stderr }) => `${stdout}${stderr}`,
    )
    expect(found).toBe('')
    expect((await fetch(`${up.serving}/readyz`)).status).toBe(200)
  },
)

test.runIf(needs('promtool (prometheus)', promtool))(
  'Prometheus finds nothing wrong with /metrics',
  async () => {
    const answer = await fetch(`${up.serving}/metrics`)
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const text = await answer.text()
    expect(lintMetrics(text)).toBe('')
    expect(lintMetrics('no metrics')).not.toBe('')
    expect(text).toMatch(/^tidemark_collector_accepted_total [1-9]/m)
    expect(text).not.toContain('web')
  },
)

test('a message is in an event of /v1/live within a second of its time stamp', async () => {
  const answer = await fetch(`${up.serving}/v1/live?q=live-`)
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const has = async (wanted: string) => {
    while (!text.includes(wanted)) text += (await reader.read()).value ?? ''
  }
  await has('event: begin')
  const tookMs: number[] = []
  for (let n = 0; n < 10; n++) {
    // The collector gives it the time at which it comes.
    const sentMs = performance.now()
    await ackMs(up.collector.port, `live-${n}`)
    await has(`"service":"live-${n}"`)
    tookMs.push(performance.now() - sentMs)
  }
  await reader.cancel()
  // Twice as long on a machine that is busy with other things as well.
  expect(Math.max(...tookMs)).toBeLessThan(2_000)
  expect(tookMs.sort((a, b) => a - b)[5]).toBeLessThan(1_000)
})
