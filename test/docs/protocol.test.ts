import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as intakeLimits from '../../collector/intake/limits.ts'
import * as lineLimits from '../../collector/ndjson/line-limits.ts'
import { ERRORS } from '../../schemas/errors.ts'
import { Rig } from '../collector/rig.ts'
import { TestAccess } from '../sim/access.ts'

const TEXT = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8')
const exchanges = [...TEXT.matchAll(/```exchange( with tokens)?\n([\s\S]*?)```/g)].map(
  ([, tokens, body]) => ({
    needsToken: tokens !== undefined,
    lines: body!.trimEnd().split('\n'),
  }),
)

/** The document's table whose first cell in each row is a code span that `pattern` matches. */
function rows(pattern: RegExp): string[][] {
  return TEXT.split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(2, -2).split(' | '))
    .filter(([name]) => pattern.test(name!))
    .map(([name, ...rest]) => [name!.replaceAll('`', ''), ...rest])
}

describe('every exchange goes as written', () => {
  test.each(exchanges.map((exchange, i) => [i + 1, exchange] as const))(
    'exchange %i',
    async (_, exchange) => {
      const { lines, needsToken } = exchange
      const rig = await Rig.start(
        {},
        1,
        needsToken ? new TestAccess({ 'tmk_0a1b2c3d_8f0e…': 'agent' }) : null,
      )
      let client = await rig.connect()
      let heard = 0
      for (const [i, line] of lines.entries()) {
        const body = line.slice(2)
        if (line.startsWith('!')) {
          client.socket.destroy()
          await rig.run()
          client = await rig.connect()
          heard = 0
        } else if (line.startsWith('>')) {
          if (body === '(closes)') client.socket.end()
          else client.socket.write(lines[i + 1] === '> (closes)' ? body : `${body}\n`)
        } else if (body === '(closes)') expect([client.answers.length, client.ended]).toEqual([heard, true])
        else {
          await rig.run()
          expect(client.answers[heard++]).toEqual(JSON.parse(body))
        }
      }
      expect(client.answers).toHaveLength(heard)
      if (!client.ended) client.socket.destroy()
      await rig.run()
      await rig.collector.close()
    },
  )

  test('there are some of each kind', () => {
    expect(exchanges.length).toBeGreaterThanOrEqual(6)
  })
})

test('every error of the wire is listed, with its meaning and hint', () => {
  const names = Object.keys(ERRORS) as (keyof typeof ERRORS)[]
  const onWire = names.slice(0, names.indexOf('E_IDLE') + 1)
  expect(rows(/^`E_/).map((row) => row.slice(0, 3))).toEqual(
    onWire.map((code) => [code, ERRORS[code].meaning, ERRORS[code].hint]),
  )
})

test('every limit is listed with its value', () => {
  const shown = (name: string, value: number) => {
    if (name.includes('_BYTES')) return value >= 1 << 20 ? `${value / (1 << 20)} MiB` : `${value / 1_024} KiB`
    if (name.includes('_MS')) return value >= 1_000 ? `${value / 1_000} s` : `${value} ms`
    return value.toLocaleString('en')
  }
  const listed = rows(/^`[A-Z_]+`$/).filter(([name]) => !name!.startsWith('E_'))
  expect(listed.map(([name, value]) => [name, value]).sort()).toEqual(
    Object.entries({ ...intakeLimits, ...lineLimits })
      .map(([name, value]) => [name, shown(name, value)])
      .sort(),
  )
})
