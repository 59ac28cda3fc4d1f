import { expect, test } from 'vitest'
import type { DataFile, Snapshot } from '../../lake/delta/port.ts'
import { viewSchema, withViewState } from '../../lake/tables/published.ts'
import type { Tick } from '../../lake/tables/ticks.ts'
import { definitionHash, definitionJson, type View } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { replacedBy, targets } from '../../speed/targets.ts'

const HASH = definitionHash(serviceMinute)
const CHANGED: View = { ...serviceMinute, gauges: serviceMinute.gauges.map((one) => ({ ...one, scale: 2 })) }
const file: DataFile = {
  path: 'p',
  size: 1,
  modifiedMs: 0,
  partition: {},
  rows: 1,
  min: {},
  max: {},
  nulls: {},
  tags: {},
}
const tick = (from: number, to: number, hash = HASH): Tick => ({
  file,
  hash,
  partition: 0,
  from,
  to,
  toMs: to,
  gaps: [],
})

function published(tidemark: number): Snapshot {
  const empty: Snapshot = {
    version: 1,
    timeMs: 0,
    schema: viewSchema(serviceMinute),
    configuration: {},
    files: new Map(),
    txns: new Map(),
  }
  const state = {
    tidemark: { 0: tidemark },
    hash: HASH,
    definition: definitionJson(serviceMinute),
    messagesVersion: 1,
    dirtyHours: [],
    gaps: [],
    run: 'r',
  }
  return { ...empty, configuration: withViewState(empty, state) }
}

test('speed goes on behind its last tick', () => {
  expect(targets(serviceMinute, null, [tick(-1, 4), tick(4, 9)], 0)).toMatchObject([
    { hash: HASH, from: 9, fromMs: 9 },
  ])
})

test('a tidemark that passed it is where it starts', () => {
  expect(targets(serviceMinute, published(20), [tick(-1, 4), tick(4, 9)], 0)).toMatchObject([{ from: 20 }])
})

test('behind a tick that straddles the tidemark everything is folded anew', () => {
  const ticks = [tick(-1, 4), tick(4, 9), tick(9, 12)]
  expect(targets(serviceMinute, published(6), ticks, 0)).toMatchObject([{ from: 6 }])
  expect(replacedBy(ticks, { hash: HASH, partition: 0, from: 6, to: 12 })).toEqual(ticks.slice(1))
})

test('what a newer release published is not folded in the sense of this one', () => {
  const { configuration, ...rest } = published(4)
  for (const [name, other] of [
    ['hash', '0123456789abcdef'],
    ['definition', definitionJson({ ...serviceMinute, measures: ['median' as never] })],
  ] as const) {
    const state = { ...JSON.parse(configuration['tidemark.view']!), [name]: other }
    const newer = { ...rest, configuration: { 'tidemark.view': JSON.stringify(state) } }
    expect(() => targets(serviceMinute, newer, [], 0)).toThrow(
      expect.objectContaining({ code: 'E_NEWER', message: expect.stringContaining('service_minute') }),
    )
  }
})

test('while the definition changes, both are folded from the tidemark on', () => {
  const wanted = targets(CHANGED, published(4), [tick(4, 9)], 0)
  expect(wanted.map(({ hash, from }) => [hash, from])).toEqual([
    [HASH, 9],
    [definitionHash(CHANGED), 4],
  ])
})

test('a view of which nothing is published goes on with the ticks that begin where the log does', () => {
  const ticks = [tick(-1, 4), tick(8, 12), tick(12, 15)]
  expect(targets(serviceMinute, null, [], 0, 8)).toMatchObject([{ from: 8 }])
  expect(targets(serviceMinute, null, ticks, 0, 8)).toMatchObject([{ from: 15, fromMs: 15 }])
  expect(targets(serviceMinute, null, ticks, 0, 10)).toMatchObject([{ from: 10 }])
  expect(targets(serviceMinute, published(6), ticks, 0, 8)).toMatchObject([{ from: 6 }])
})
