import { expect, test } from 'vitest'
import { benchDecoding, decodingText } from '../../../bench/ingest/decoding.ts'
import { FIRST_SEQ, Lines } from '../../../bench/ingest/lines.ts'
import { PlainScanner } from '../../../bench/ingest/plain-scanner.ts'
import { DatasetIntake } from '../../../collector/intake/dataset-intake.ts'
import { LineBuffer } from '../../../collector/ndjson/decode/line-buffer.ts'
import { type Accepted, decodeLine } from '../../../collector/ndjson/message-line.ts'
import { host } from '../../../schemas/datasets/host.ts'

const NOW_MS = Date.UTC(2026, 10, 22, 10)
const CONTEXT = { arrivalMs: NOW_MS, oldestMs: 0, senderAddress: '', agent: 'bench' }

/** Decodes one line with the plain scanner; null where it leaves the line. */
function scan(line: string) {
  const intake = new DatasetIntake(host, { servicesMax: 1_000, hostsMax: 1_000 })
  const lineBuffer = new LineBuffer(1_000)
  const end = lineBuffer.put(Buffer.from(`${line}\n`))
  if (new PlainScanner(lineBuffer, intake).decode(0) !== end - 1) return null
  const { names, values } = intake.row
  const [seq, timeMs] = [values.at(-1)!, values.at(-2)!]
  return {
    names: Array.from(names, (id, c) => intake.names[c]!.text(id)),
    timeMs,
    gauges: [...values.subarray(0, -2)],
    seq,
  }
}

test('the plain scanner reads the lines of the benchmark as the complete path does', () => {
  const lines = new Lines(3, true).next(FIRST_SEQ, NOW_MS).toString().trimEnd().split('\n')
  for (const line of lines) {
    const { message } = decodeLine(Buffer.from(line), CONTEXT, { usual: host, named: () => null }) as Accepted
    const { names, timeMs, gauges, seq } = message
    expect(scan(line)).toEqual({ names, timeMs, gauges, seq })
  }
})

const USUAL =
  '{"service":"a","host":"b","time_stamp":"2026-11-22T10:00:00.000Z","cpu":1,"ram":0.5,"disk":3,"seq":7}'

test.each([
  ['"a"', '"\\u0061"'],
  ['"cpu":1', '"cpu":01'],
  ['"cpu":1', '"cpu":1.'],
  ['"cpu":1', '"cpu":-1'],
  ['"cpu":1', '"cpu":"1"'],
  ['"cpu":1,', ''],
  ['"ram"', '"cpu"'],
  ['11-22', '11-31'],
  ['10:00', '24:00'],
  ['}', '} '],
])('it leaves a line with %s as %s', (usual, odd) => {
  expect(scan(USUAL)).not.toBeNull()
  expect(scan(USUAL.replace(usual, odd))).toBeNull()
})

test('the benchmark names each kind of lines, with its ratios', () => {
  const kinds = benchDecoding(2)
  for (const { timesPlain, timesJsonParse } of kinds)
    expect(Math.min(timesPlain, timesJsonParse)).toBeGreaterThan(0)
  expect(decodingText(kinds).split('\n')).toHaveLength(kinds.length)
})
