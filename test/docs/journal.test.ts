import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { RECORD_HEAD_BYTES, writeRecordHead } from '../../log/journal/record.ts'
import { encodeHead } from '../../log/journal/segment-head.ts'
import { checksumSeed, parseSegmentName } from '../../log/journal/segment-name.ts'
import { host } from '../../schemas/datasets/host.ts'
import { toColumns } from '../../schemas/message.ts'
import { ROOT } from '../code/sources.ts'
import { encodeBlock } from '../sim/blocks.ts'

const text = readFileSync(join(ROOT, 'docs/format/journal.md'), 'utf8')

test('the example of a segment is what is written', () => {
  const timeMs = Date.UTC(2026, 10, 22, 10)
  const id = parseSegmentName(/`(\S+-00000000000000000007-\S+\.journal)`/.exec(text)![1]!)!
  const agents = new Map([['a1', { seq: 41, lastMs: timeMs }]])
  const head = encodeHead(id, { logTimeMs: timeMs, agents })
  const message = { names: ['web', 'h'], timeMs, gauges: [12.5, 40, 71], agent: 'a1', seq: 42 }
  const payload = encodeBlock(toColumns(host, [message]))
  const record = Buffer.concat([Buffer.alloc(RECORD_HEAD_BYTES), payload])
  const place = { offset: 7, position: head.length, syncedTo: head.length, seed: checksumSeed(id) }
  writeRecordHead(record, 0, payload, { ...place, logTimeMs: timeMs + 250 })
  const written = Buffer.concat([head, record])
  const lines = [...text.matchAll(/^ {4}([0-9a-f]{4}) {2}((?:[0-9a-f]{2} ?)+)(?: |$)/gm)]
  const shown = lines.map((match) => match[2]!.replaceAll(' ', '')).join('')
  expect(shown).toBe(written.toString('hex'))
  let at = 0
  for (const [, from, bytes] of lines) {
    expect(Number.parseInt(from!, 16)).toBe(at)
    at += bytes!.trim().split(' ').length
  }
})
