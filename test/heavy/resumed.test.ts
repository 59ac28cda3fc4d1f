import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PresentedRun } from '../../serving/http/present-run.ts'
import { environment, runCommand } from './up.ts'

/** A full run whose process is killed goes on where it was. */

const ENTRY = fileURLToPath(new URL('../../cli/entry.js', import.meta.url))
const DATES = 40
const ROWS_PER_DATE = 100
/** Recorded dates after which the process is killed. */
const KILLED_AFTER = 3
const DAY_MS = 86_400_000
const START_MS = Date.UTC(2026, 0, 1)

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-resumed-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test('dates that a killed full run had computed are not computed again', async () => {
  const data = join(dir, 'data')
  const lines = ['time_stamp,service,host,cpu,ram,disk']
  for (let date = 0; date < DATES; date++)
    for (let row = 0; row < ROWS_PER_DATE; row++) {
      const time = new Date(START_MS + date * DAY_MS + row * 97_000).toISOString()
      lines.push(`${time},web,h${row % 3},${row % 100},${date % 100},7`)
    }
  await writeFile(join(dir, 'history.csv'), `${lines.join('\n')}\n`)
  const imported = await runCommand(['import', join(dir, 'history.csv'), '--yes', '--data', data])
  expect(imported.code, imported.err).toBe(0)
  const before = await exported(data)

  const computed = await killedFullRun(data)
  expect(computed).toBeGreaterThanOrEqual(KILLED_AFTER)
  expect(computed).toBeLessThan(DATES)

  expect(await runCommand(['batch', '--once', '--full', '--data', data])).toMatchObject({ code: 0 })
  const listed = await runCommand(['runs', '--json', '--data', data])
  const [run, killed] = listed.out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as PresentedRun)
    .filter(({ view }) => view === 'service_minute')
  expect(run).toMatchObject({ result: 'published', full: true, files: DATES })
  const map = run!.stages.find(({ stage }) => stage === 'map')!
  // What was being recorded at the kill may be there or not.
  expect(map.reused).toBeGreaterThanOrEqual(computed)
  expect(map.inputs.rows).toBe((DATES - map.reused) * ROWS_PER_DATE)
  expect(killed).toMatchObject({ result: 'failed', error: expect.stringContaining('ended in the middle') })
  expect(await exported(data)).toEqual(before)
  expect(await workOf(data)).toEqual([])
})

/** Begins a full run and kills its process in the middle; how many dates it had recorded by then. */
async function killedFullRun(data: string): Promise<number> {
  const child = spawn(process.execPath, [ENTRY, 'batch', '--once', '--full', '--data', data], {
    env: environment(),
    stdio: 'ignore',
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  for (;;) {
    const { length } = await workOf(data)
    if (length >= KILLED_AFTER) {
      child.kill('SIGKILL')
      await ended
      return length
    }
    if (child.exitCode !== null) throw new Error(`the run ended with ${child.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

async function workOf(data: string): Promise<string[]> {
  const names = await readdir(join(data, 'lake/_work/service_minute')).catch(() => [])
  return names.filter((name) => name.endsWith('.json') && !name.startsWith('.'))
}

async function exported(data: string): Promise<string> {
  const { code, out } = await runCommand([
    'export',
    '--view',
    'service_minute',
    '--format',
    'csv',
    '--data',
    data,
  ])
  expect(code).toBe(0)
  return out
}
