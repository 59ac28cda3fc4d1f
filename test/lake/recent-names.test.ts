import { expect, test } from 'vitest'
import { recentNames } from '../../lake/tables/recent-names.ts'
import { host } from '../../schemas/datasets/host.ts'
import type { Message } from '../../schemas/message.ts'
import { DAY_MS } from '../../schemas/time.ts'
import { hostMinute } from '../../schemas/views/host-minute.ts'
import { answersRig, NOW_MS } from '../serving/rig.ts'

const message = (service: string, source: string, timeMs: number): Message => ({
  names: [service, source],
  timeMs,
  gauges: [1, 2, 3],
  agent: null,
  seq: null,
})

test('names are those of the last day, of the newest first, in ticks and in what is published; damage hides no others', async () => {
  await using rig = await answersRig(host, hostMinute)
  await rig.publish(
    [
      message('old', 'h-0', NOW_MS - 3 * DAY_MS),
      message('web', 'h-1', NOW_MS - DAY_MS / 2),
      message('web', 'h-2', NOW_MS - DAY_MS / 2),
    ],
    1,
  )
  await rig.tick([message('late', 'h-9', NOW_MS - 9 * DAY_MS)], 1, 2)
  const names = async () =>
    (await recentNames(rig.tables, NOW_MS - DAY_MS)).map(({ column, names }) => [column, ...names])
  expect(await names()).toEqual([
    ['service', 'late', 'web'],
    ['host', 'h-9', 'h-1', 'h-2'],
  ])
  const [tick] = [...rig.store.objects.keys()].filter((key) => /_ticks\/.*\.parquet$/.test(key))
  rig.store.objects.get(tick!)!.bytes.fill(7)
  expect(await names()).toEqual([
    ['service', 'web'],
    ['host', 'h-1', 'h-2'],
  ])
})
