import { expect, test } from 'vitest'
import { metricsText } from '../../../serving/http/metrics-text.ts'

test('figures are Prometheus text, with labels for what comes several times', () => {
  const chains = [
    { view: 'a"b', hash: '7c', readTo: 3 },
    { view: 'c', hash: '8d', readTo: 4 },
  ]
  const status = { ready: true, speed: { state: 'ok', reason: null, chains }, covered: { 0: 7, 2: 9 } }
  expect(metricsText('tidemark', status)).toBe(`# HELP tidemark_ready ready of the state of the layers.
# TYPE tidemark_ready gauge
tidemark_ready 1
# HELP tidemark_speed_chains_read_to speed.chains.readTo of the state of the layers.
# TYPE tidemark_speed_chains_read_to gauge
tidemark_speed_chains_read_to{view="a\\"b",hash="7c"} 3
tidemark_speed_chains_read_to{view="c",hash="8d"} 4
# HELP tidemark_covered covered of the state of the layers.
# TYPE tidemark_covered gauge
tidemark_covered{partition="0"} 7
tidemark_covered{partition="2"} 9
`)
})

test('figures that only grow are counters, and no name takes another meaning', () => {
  const status = { collector: { accepted: 4 }, batch: { progress: { done: 1, total: 2 }, hours: 3 } }
  const text = metricsText('t', status)
  expect(text.split('\n').filter((line) => !line.startsWith('# HELP'))).toEqual([
    '# TYPE t_collector_accepted_total counter',
    't_collector_accepted_total 4',
    '# TYPE t_batch_progress_done gauge',
    't_batch_progress_done 1',
    '# TYPE t_batch_progress_planned gauge',
    't_batch_progress_planned 2',
    '# TYPE t_batch_recomputed gauge',
    't_batch_recomputed 3',
    '',
  ])
})

test('times are told in seconds', () => {
  const text = metricsText('t', { lake: { lag_ms: 1_500 }, speed: { lagMs: 20 } })
  expect(text.split('\n').filter((line) => /^t_/.test(line))).toEqual([
    't_lake_lag_seconds 1.5',
    't_speed_lag_seconds 0.02',
  ])
})

test('nothing that is new each time is a label, and no sample comes twice', () => {
  const run = (n: number) => ({ run: `id-${n}`, view: 'v', started: '2026-11-22', error: null, rows: n })
  const status = {
    runs: [run(1), run(2)],
    gaps: [
      { reason: 'x', from: 1 },
      { reason: 'y', from: 2 },
    ],
    none: [],
  }
  const samples = metricsText('t', status)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  expect(samples).toEqual(['t_runs_rows{view="v"} 2', 't_gaps 2', 't_none 0'])
})
