import { expect, test } from 'vitest'
import { runLayer } from '../../../cli/compose/layers/run.ts'
import { nodeDisk } from '../../../cli/host/disk.ts'
import { nodeRandom } from '../../../cli/host/random.ts'
import { resolveSettings } from '../../../cli/settings/settings.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { lastingPort } from '../../heavy/watch.ts'
import { SimClock } from '../../sim/clock.ts'
import { drain } from '../../sim/incarnation.ts'

test('while a table is damaged a layer waits and says what to do, and starts once it is mended', async () => {
  const port = await lastingPort(() => nodeRandom().float())
  const clock = new SimClock(0)
  const lines: string[] = []
  const stop = Promise.withResolvers<void>()
  let isDamaged = true
  const up = Promise.withResolvers<void>()
  const run = runLayer(
    {
      settings: resolveSettings({
        flags: { 'health-listen': `127.0.0.1:${port}` },
        env: {},
        file: null,
        cwd: '/',
      }),
      start: async () => {
        if (isDamaged) throw new TidemarkError('E_TABLE_DAMAGED', 'v/_delta_log/5.json, line 1 is no JSON')
        return { greeting: [], status: async () => ({}), reasons: async () => [] }
      },
      started: () => up.resolve(),
      stopped: stop.promise,
    },
    { disk: nodeDisk(), clock, random: nodeRandom(), logLine: (line) => void lines.push(line) },
  )
  const ready = async () => fetch(`http://127.0.0.1:${port}/readyz`)
  const text = async () => await (await ready()).text()
  await expect.poll(text).toMatch(/v\/_delta_log\/5\.json, line 1 .*`tidemark lake mend`/)
  expect((await ready()).status).toBe(503)
  isDamaged = false
  await clock.advance(2_000)
  await drain()
  await up.promise
  expect([(await ready()).status, lines.length]).toEqual([200, 1])
  stop.resolve()
  expect(await run).toBe(0)
})
