import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { nodeDisk } from '../../../cli/host/disk.ts'
import { host } from '../../../schemas/datasets/host.ts'
import type { Message } from '../../../schemas/message.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { type IndexLoader, loadHere } from '../../../serving/index/loader.ts'
import { answersRig } from '../rig.ts'

const VIEW = serviceMinute.name
const START_MS = Date.UTC(2026, 10, 22)
const RANGE = { fromMs: START_MS, toMs: START_MS + 30 * 60_000 }
const messages = Array.from(
  { length: 60 },
  (_, m): Message => ({
    names: ['web', 'h'],
    timeMs: START_MS + m * 60_000,
    gauges: [m, 2, 3],
    agent: null,
    seq: null,
  }),
)

/** A loader that takes its time, as a thread does. */
function slowLoader(): IndexLoader {
  const loader = loadHere()
  return {
    ...loader,
    async close() {
      await setImmediate()
      await loader.close()
      await setImmediate()
    },
  }
}

test('a byte that changed in the index is never an answer; the index is made anew from the lake', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tidemark-index-'))
  const indexPath = join(dir, 'index.db')
  await using rig = await answersRig(host, serviceMinute, {
    indexPath,
    disk: nodeDisk(),
    loader: slowLoader(),
  })
  await rig.publish(messages, 1)
  const db = new Database(indexPath)
  const { minutes } = db.prepare('SELECT body AS minutes FROM chunk WHERE level = 0').get() as {
    minutes: Buffer
  }
  db.close()
  const bytes = readFileSync(indexPath)
  bytes[bytes.indexOf(minutes) + 20]! ^= 1
  writeFileSync(indexPath, bytes)

  expect(() => rig.answers.stats(VIEW, 'web', RANGE)).toThrow('is being made anew')
  // Whatever it is asked meanwhile: an answer that says what it lacks, or that the index is being made.
  for (let turn = 0; turn < 200; turn++) {
    await setImmediate()
    try {
      const stats = rig.answers.stats(VIEW, 'web', RANGE)
      if (stats?.complete === true) expect(stats.messages).toBe(30)
    } catch (error) {
      expect(error).toMatchObject({ code: 'E_INDEX_DAMAGED' })
    }
  }
  await rig.answers.refresh()
  expect(rig.answers.stats(VIEW, 'web', RANGE)).toMatchObject({ messages: 30, complete: true })
  expect(rig.lines.join('\n')).toContain('made anew from the lake')
  rmSync(dir, { recursive: true })
})
