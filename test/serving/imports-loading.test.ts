import { expect, test } from 'vitest'
import { host } from '../../schemas/datasets/host.ts'
import { IMPORT_PARTITION } from '../../schemas/position.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { loadHere } from '../../serving/index/loader.ts'
import { hostMessage } from '../sim/messages.ts'
import { answersRig, NOW_MS } from './rig.ts'

const RANGE = { fromMs: NOW_MS - 60_000, toMs: NOW_MS + 60_000 }
const MESSAGE = hostMessage({ service: 'web', host: 'h', timeMs: NOW_MS, gauges: [1, 2, 3] })

test('imports that are published and take long to load make an answer incomplete after the freshness bound', async () => {
  const plain = loadHere()
  let release = () => {}
  let held: Promise<void> = Promise.resolve()
  const fill: typeof plain.fill = async (job) => {
    await held
    await plain.fill(job)
  }
  await using rig = await answersRig(host, serviceMinute, { loader: { ...plain, fill } })
  await rig.publish([MESSAGE], 3)
  const asked = () => rig.answers.stats('service_minute', 'web', RANGE)
  expect(asked()).toMatchObject({ complete: true, messages: 1 })

  held = new Promise((resolve) => (release = resolve))
  const published = rig.publish([MESSAGE, { ...MESSAGE, names: ['web', 'imported'] }], 3, 0)
  await rig.clock.advance(900)
  expect(asked()).toMatchObject({ complete: true, messages: 1 })
  await rig.clock.advance(1_200)
  const late = asked()
  expect(late).toMatchObject({ complete: false, messages: 1 })
  expect(late?.gaps).toMatchObject([{ partition: IMPORT_PARTITION, from: -1, to: 0 }])
  // A service that nobody knows yet may be one of them.
  expect(rig.answers.stats('service_minute', 'only-imported', RANGE)).toMatchObject({
    complete: false,
    messages: 0,
  })

  release()
  await published
  expect(asked()).toMatchObject({ complete: true, messages: 2 })
})
