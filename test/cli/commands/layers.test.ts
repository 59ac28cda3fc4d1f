import { expect, test } from 'vitest'
import { runCli } from '../../../cli/main.ts'

/** What a layer says, and its exit code, when it is given that. */
async function told(args: readonly string[], env: Record<string, string> = {}) {
  let err = ''
  const code = await runCli([...args], {
    cwd: '/nowhere',
    env,
    readText: async () => null,
    out: () => {},
    err: (text: string) => {
      err += text
    },
    isTerminal: false,
    columns: null,
    take: async () => true,
    stopped: Promise.resolve(),
  })
  return { code, err }
}

test('a setting that a layer cannot do without, or that would mean nothing, is named', async () => {
  const url = ['--log-url', 'kafka://127.0.0.1:1/t']
  expect(await told(['speed', ...url])).toEqual({
    code: 2,
    err: expect.stringContaining('tidemark speed needs lake.url'),
  })
  for (const layer of ['collector', 'lake-writer'])
    expect(
      await told([layer, ...url, '--lake-url', '/nowhere/lake'], { TIDEMARK_COLLECTOR_UNSEALED_MAX: '1GiB' }),
    ).toEqual({
      code: 2,
      err: expect.stringContaining('collector.unsealed_max (TIDEMARK_COLLECTOR_UNSEALED_MAX) has no effect'),
    })
})
