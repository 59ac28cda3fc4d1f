import { expect, test } from 'vitest'
import { Lines } from '../../../bench/ingest/lines.ts'
import { Points } from '../../../bench/peers/points.ts'

const NOW_MS = Date.UTC(2026, 10, 22, 10)

test('the lines of a write are messages, varied ones differ only in their decimals', () => {
  const parsed = (varied: boolean) => {
    const lines = new Lines(1, varied)
    lines.next(100_000_001, NOW_MS)
    return String(lines.next(100_000_201, NOW_MS))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }
  const plain = parsed(false)
  const varied = parsed(true)
  expect(plain[0]).toMatchObject({ time_stamp: '2026-11-22T10:00:00.000Z', seq: 100_000_201 })
  expect(varied.map(({ host, seq }) => [host, seq])).toEqual(plain.map(({ host, seq }) => [host, seq]))
  expect(varied.map(({ cpu }) => Math.floor(cpu))).toEqual(plain.map(({ cpu }) => Math.floor(cpu)))
  expect(varied.map(({ cpu }) => cpu)).not.toEqual(plain.map(({ cpu }) => cpu))
})

test('points hold the same samples as messages, each with a time of its own', () => {
  const points = String(new Points(1, 300).next(NOW_MS)).trim().split('\n')
  const [message] = String(new Lines(1, true).next(100_000_000, NOW_MS)).split('\n')
  const { service, host, cpu, ram, disk } = JSON.parse(message!)
  const gauge = (value: number) => value.toFixed(3)
  expect(points[0]).toBe(
    `gauges,service=${service},host=${host} cpu=${gauge(cpu)},ram=${gauge(ram)},disk=${gauge(disk)} ${NOW_MS}001010`,
  )
  expect(new Set(points.map((point) => point.split(' ')[2])).size).toBe(300)
})
