import { expect, test } from 'vitest'
import { forgetRejects } from '../../collector/intake/forget-rejects.ts'
import { SimDisk } from '../sim/disk.ts'

const kept = (raw: object) => `${JSON.stringify({ remote: '10.0.0.1', code: 'E_GAUGE', ...raw })}\n`

async function after(lines: readonly string[], words: readonly string[]) {
  const disk = new SimDisk(1)
  await disk.makeDir('/rejects')
  const file = await disk.open('/rejects/2026-11-22.ndjson', { create: true })
  await file.write(0, Buffer.from(lines.join('')))
  await file.close()
  const forgotten = await forgetRejects(disk, '/rejects', words)
  const text = Buffer.from((await disk.readFile('/rejects/2026-11-22.ndjson'))!).toString()
  return { forgotten, left: text.split(/(?<=\n)/).map((line) => lines.indexOf(line)) }
}

test('lines that mention a name in any form go, others stay byte for byte', async () => {
  const lines = [
    kept({ raw: '{"service":"web","host":"web-1","cpu":"x"}' }),
    kept({ raw: '{"service":"web","host":"web-10","cpu":"x"}' }),
    kept({ raw: '{"host":"\\u0077eb-1"' }),
    kept({ raw_base64: Buffer.from('{"host":"web-1\xff', 'latin1').toString('base64') }),
    kept({ raw: 'x', reason: 'host "web-1" is wrong' }),
    kept({ raw: 'x', remote: 'web-1' }),
    '{"raw":"web-1 cut of',
  ]
  expect(await after(lines, ['web-1'])).toEqual({ forgotten: 6, left: [1] })
})

test('of several words a line must mention all', async () => {
  const lines = [kept({ raw: '{"service":"a","host":"h"}' }), kept({ raw: '{"service":"b","host":"h"}' })]
  expect(await after(lines, ['b', 'h'])).toEqual({ forgotten: 1, left: [0] })
})
