import { expect, test } from 'vitest'
import { statusTable } from '../../../cli/commands/status.ts'

test('a row for each layer, and for what each dataset takes', () => {
  const text = statusTable({
    time: '2026-11-22T10:00:00.000Z',
    agent: { state: 'off', reason: null, sent: 0 },
    lake: { state: 'waiting', reason: 'the disk is full', lag_blocks: 2, covered: { 0: 1 } },
    stored: [
      { dataset: 'host', rows: 3, grows_by_day_bytes: null, price_by_month: 0.000014980337 },
      { dataset: 'scores', rows: 4 },
    ],
  })
  expect(text.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['layer', 'state', 'figures'],
    ['agent', 'off', 'sent 0'],
    ['lake', 'waiting', 'the disk is full, lag_blocks 2'],
    ['stored', 'dataset host, rows 3, price_by_month 0.0000150'],
    ['stored', 'dataset scores, rows 4'],
    [''],
  ])
})
