import { expect, test } from 'vitest'
import { taken } from './taken.ts'

/** InfluxDB's line protocol, and text lines of other forms that are none of theirs. */

const AT = '2026-11-22T10:00:00.000Z'
const NS = '1795341600000000000'

test('metrics as Telegraf writes them', async () => {
  const text = `# written by Telegraf
cpu,cpu=cpu-total,host=h1 usage_idle=97.5,usage_active=2.5 ${NS}
mem,host=h1 used_percent=40,total=16i ${NS}
disk,device=sda1,host=h1,path=/ used_percent=7e1,free=5u,mode="rw, \\"x\\" = 1 2",ok=true ${NS}
system,host=h1 uptime_format="1 day, 2:00" ${NS}
`
  expect(await taken(text, { set: { service: 'web' } })).toMatchObject({
    words: "InfluxDB's line protocol",
    rows: [['web', 'h1', AT, 2.5, 40, 70]],
    refused: [],
  })
})

test('escapes in measurements, tags and fields, and seconds', async () => {
  const text = String.raw`my\ app,host=h\,1\ \=a,service=a\b cpu=1,ra\ m=2,disk=3i 1795341600`
  const { rows, values } = await taken(text, { map: { ram: 'ra m' } })
  expect(values).toEqual(['cpu', 'disk', 'ra m'])
  expect(rows).toEqual([[String.raw`a\b`, 'h,1 =a', AT, 1, 3, 2].with(4, 2).with(5, 3)])
})

test('of the many values of a whole Telegraf those are taken that are gauges, of all processors and the root', async () => {
  const fields = (name: string, values: number) =>
    Array.from({ length: 9 }, (_, i) => `${name}${i}=${values}`)
  const cpus = ['cpu-total', 'cpu0', 'cpu1', 'cpu2', 'cpu3', 'cpu4', 'cpu5', 'cpu6'].map(
    (cpu, i) => `cpu,cpu=${cpu},host=h1 usage_idle=${98 - i},${fields('usage_', 1)} ${NS}`,
  )
  const disks = ['/boot', '/'].map(
    (path, i) => `disk,device=sda${i},host=h1,path=${path} used_percent=${i + 2} ${NS}`,
  )
  const text = [...cpus, `mem,host=h1 used_percent=40 ${NS}`, ...disks, `net,host=h1 in=1 ${NS + 1}`].join(
    '\n',
  )
  expect(await taken(text, { set: { service: 'web' } })).toMatchObject({
    rows: [['web', 'h1', AT, 2, 40, 3]],
    refused: [],
    repeated: 0,
  })
  const mapped = await taken(text, {
    set: { service: 'web' },
    map: { cpu: 'usage_idle cpu=cpu0', disk: 'in' },
  })
  expect(mapped.rows).toEqual([])
  await expect(taken(text.replaceAll('used_percent', 'n'), { set: { service: 'web' } })).rejects.toThrow(
    /no column is ram or disk; made of .* are mem n, n device=sda0 path=\/boot|are .*mem n.* and \d+ more/,
  )
})

const line = (gauges: string) => `m,service=web,host=h1 ${gauges} ${NS}`
const GOOD = line('cpu=1,ram=2,disk=3')

test('lines that are none are refused by their numbers and kept, and values without a time', async () => {
  const text = [GOOD, 'no line', '', `m cpu= ${NS}`, 'm,service=db,host=h1 cpu=1,ram=2,disk=3', GOOD].join(
    '\n',
  )
  const { rows, refused, kept } = await taken(text)
  expect(rows).toEqual([['web', 'h1', AT, 1, 2, 3]])
  expect(refused).toEqual([
    { why: 'no line of the protocol', rows: 2, first: 2, unit: 'line' },
    { why: 'time_stamp is no time', rows: 1, first: 2, unit: 'row' },
  ])
  expect(kept).toContain('\n2,no line of the protocol,no line\n')
})

test('so are lines of Prometheus without a time, and torn ones of Telegraf', async () => {
  const sample = (name: string, i: number) => `${name}{job="web",instance="h1"} ${i} 1795341600000`
  const samples = ['cpu', 'ram', 'disk'].map(sample)
  expect((await taken([...samples, 'cpu{job="db"} 4', ''].join('\n'))).refused).toMatchObject([
    { why: 'no sample with its time', first: 4 },
  ])
  const telegraf = JSON.stringify({
    fields: { cpu: 1, ram: 2, disk: 3 },
    name: 'm',
    tags: { host: 'h1', service: 'web' },
    timestamp: 1_795_341_600,
  })
  expect(await taken([telegraf, telegraf.slice(0, 40), '{"name":"x"}'].join('\n'))).toMatchObject({
    rows: [['web', 'h1', AT, 1, 2, 3]],
    refused: [{ why: 'no JSON object with fields', rows: 2, first: 2, unit: 'line' }],
  })
})
