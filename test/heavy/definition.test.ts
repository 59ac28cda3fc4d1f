import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCommand } from './up.ts'

/** A view whose key and gauges change, over messages that stay. */

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-definition-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const DATASET = `[datasets.scores]
keys = ["group", "lunch"]
gauges.math = { unit = "points", max = 100 }
gauges.writing = { unit = "points", max = 100 }
`
const view = (key: string, gauges: string) =>
  `[views.score_minute]\ndataset = "scores"\nkey = ${key}\ngauges = ${gauges}\n`

const ROWS = `group,lunch,time_stamp,math,writing
A,free,2026-11-22T10:00:00Z,10,1
A,paid,2026-11-22T10:00:30Z,20,2
B,paid,2026-11-22T10:00:00Z,40,4
`

test('a key and gauges that change are recomputed, compared, and the version before is read as it was', async () => {
  const config = join(dir, 'tidemark.toml')
  const flags = ['--data', join(dir, 'data'), '--config', config]
  const json = async (...args: string[]) => {
    const { code, out, err } = await runCommand([...args, ...flags])
    expect([args, code, code === 0 ? '' : err]).toEqual([args, 0, ''])
    return out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }
  await writeFile(join(dir, 'scores.csv'), ROWS)
  await writeFile(config, DATASET + view('["group"]', '["math", "writing"]'))
  const { code, err } = await runCommand([
    'import',
    join(dir, 'scores.csv'),
    '--dataset',
    'scores',
    '--yes',
    ...flags,
  ])
  expect(code, err).toBe(0)
  const versionOf = async () =>
    (await json('runs', '--json')).find((run) => run.view === 'score_minute' && run.result === 'published')
  const before = await versionOf()

  await writeFile(config, DATASET + view('["group", "lunch"]', '["math"]'))
  expect((await runCommand(['batch', '--once', ...flags])).code).toBe(0)
  const after = await versionOf()
  expect(after).toMatchObject({ full: true, rows: 3 })
  expect(after.report).toContain(
    'key group became group, lunch; gauge writing went: everything was recomputed',
  )

  const sql = (columns: string) => `SELECT ${columns} FROM score_minute ORDER BY ALL`
  const asOf = ['--as-of', String(before.view_version), '--format', 'json']
  expect(await json('query', sql('"group", math, writing'), ...asOf)).toEqual([
    { group: 'A', math: 30, writing: 3 },
    { group: 'B', math: 40, writing: 4 },
  ])
  expect(await json('query', sql('"group", lunch, math'), '--format', 'json')).toEqual([
    { group: 'A', lunch: 'free', math: 10 },
    { group: 'A', lunch: 'paid', math: 20 },
    { group: 'B', lunch: 'paid', math: 40 },
  ])

  // Added up by what both are keyed by, nothing is different.
  const versions = [String(before.view_version), String(after.view_version)]
  const diff = ['runs', 'diff', ...versions, '--view', 'score_minute']
  expect((await json(...diff, '--json'))[0]).toMatchObject({
    key: ['group'],
    a: { key: ['group'], gauges: ['math', 'writing'], cells: 2, messages: 3 },
    b: { key: ['group', 'lunch'], gauges: ['math'], cells: 3, messages: 3 },
    cells: { added: 0, removed: 0, changed: 0 },
  })
  const { out } = await runCommand([...diff, ...flags])
  expect(out).toContain('The key was group and is group, lunch; compared by group.')
  expect(out).toContain('Gauges that went: writing.')
  expect(out).toContain('Nothing changed.')
})
