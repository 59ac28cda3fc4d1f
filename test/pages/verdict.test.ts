import { expect, test } from 'vitest'
import type { Agents, Status } from '../../pages/system/status.ts'
import { judge, sticksAt } from '../../pages/system/verdict.ts'

const OK = { state: 'ok', reason: null, lag_blocks: 0, lag_ms: 0 }
const agents: Agents = { agents: [], total: 0 }

function status(parts: object = {}): Status {
  return {
    time: '2026-11-22T12:00:00.000Z',
    collector: { ...OK },
    log: { ...OK, gaps: [] },
    lake: { ...OK },
    speed: { ...OK },
    batch: { ...OK, state: 'idle', last_views: [] },
    serving: { ...OK },
    storage: { state: 'ok', free_bytes: 50, disk_bytes: 100 },
    ...parts,
  } as unknown as Status
}

const at = (parts: object, of = agents) => {
  const judgement = judge(status(parts), of)
  const name = sticksAt(judgement)
  return name === null ? null : [name, judgement[name].level, judgement[name].words]
}

test('where nothing is wrong, everything flows', () => {
  expect(at({})).toBe(null)
  expect(at({ storage: { state: 'counting' } })).toBe(null)
})

test('the cause is named, not what waits for it', () => {
  const waiting = { ...OK, state: 'waiting', reason: 'sealing is behind' }
  expect(at({ collector: waiting })).toEqual(['collector', 'stuck', 'sealing is behind'])
  const full = { state: 'disk_full', reason: null }
  expect(at({ collector: waiting, log: full })).toEqual(['log', 'stuck', 'disk full'])
  const failing = { ...OK, state: 'failing', reason: 'no bucket' }
  expect(at({ collector: waiting, lake: failing })).toEqual(['lake', 'stuck', 'no bucket'])
})

test('lags, lost ranges, failed runs, late agents and a full disk are named', () => {
  const behind = { ...OK, lag_blocks: 3, lag_ms: 12_000 }
  expect(at({ speed: behind, serving: behind })).toEqual(['speed', 'late', '3 blocks, 12 s behind'])
  expect(at({ lake: { ...behind, lag_ms: 3_600_000 } })).toBe(null)
  expect(at({ lake: { ...behind, lag_ms: 8_000_000 } })).toEqual(['lake', 'late', '3 blocks, 2 h behind'])
  expect(at({ log: { ...OK, gaps: [{}] } })).toEqual(['log', 'late', '1 range lost'])
  const last_views = [{ result: 'published' }, { result: 'failed', error: 'no memory' }]
  expect(at({ batch: { ...OK, last_views } })).toEqual(['batch', 'stuck', 'no memory'])
  expect(at({ storage: { state: 'ok', free_bytes: 4, disk_bytes: 100 } })).toEqual([
    'disk',
    'late',
    '4 B of 100 B are free',
  ])
  const old = { agents: [{ lag_ms: 301_000 }, { lag_ms: 5 }], total: 2 } as unknown as Agents
  expect(at({}, old)).toEqual(['agents', 'late', '1 agent sent nothing of the last five minutes'])
})

test('layers of other processes are neither well nor ill, and say who tells of them', () => {
  const elsewhere = { state: 'elsewhere', reason: 'others tell' }
  const served = {
    ...{ time: '2026-11-22T12:00:00.000Z', collector: elsewhere, log: elsewhere, lake: elsewhere },
    ...{ batch: elsewhere, serving: OK },
    speed: { ...elsewhere, at_log_end: '2026-11-22T11:59:45.000Z', late_after: '2026-11-22T12:00:20.000Z' },
  } as unknown as Status
  const judgement = judge(served, null)
  expect(sticksAt(judgement)).toBe(null)
  for (const layer of ['collector', 'log', 'lake', 'batch', 'speed'] as const)
    expect(judgement[layer]).toEqual({ level: 'away', words: 'others tell' })
  expect([judgement.agents.level, judgement.serving.level]).toEqual(['away', 'ok'])

  // But its silence tells.
  const later = judge({ ...served, time: '2026-11-22T12:01:00.000Z' }, null)
  expect(sticksAt(later)).toBe('speed')
  expect(later.speed.words).toBe('it was at the end of the log 1 min ago for the last time')
})
