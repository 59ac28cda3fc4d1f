import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { nodeDisk } from '../../../cli/host/disk.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { isError } from '../../../schemas/errors.ts'
import type { Message } from '../../../schemas/message.ts'
import { makeWake } from '../../../schemas/ports/wake.ts'
import { DAY_MS, MINUTE_MS } from '../../../schemas/time.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { startAnswers } from '../../../serving/answer.ts'
import type { Answers } from '../../../serving/answers.ts'
import { PAGE_BYTES } from '../../../serving/index/database.ts'
import { simRandom } from '../../sim/random.ts'
import { answersRig } from '../rig.ts'

const VIEW = serviceMinute.name
const START_MS = Date.UTC(2026, 10, 18)
const DAYS = 4
const SERVICES = 24
const BITS = 25
const HEAD_BYTES = 128
const DAMAGED = 'damaged'
const keys = Array.from({ length: SERVICES }, (_, i) => `service-${i}`)
/** Whole days, whole hours and minutes: every level of the index. */
const RANGES = [
  { fromMs: START_MS, toMs: START_MS + DAYS * DAY_MS },
  { fromMs: START_MS + 7 * MINUTE_MS, toMs: START_MS + 2 * DAY_MS + 95 * MINUTE_MS },
]

const messages = keys.flatMap((service, s) =>
  Array.from(
    { length: DAYS * 12 },
    (_, i): Message => ({
      names: [service, 'h'],
      timeMs: START_MS + i * 2 * 3_600_000 + s * MINUTE_MS,
      gauges: [(i * 37 + s) % 101, s, i],
      agent: null,
      seq: null,
    }),
  ),
)

/** What is answered, by question. */
function asked(answers: Answers): string[] {
  const say = (ask: () => unknown): string => {
    try {
      return JSON.stringify(ask())
    } catch (error) {
      if (isError(error, 'E_INDEX_DAMAGED')) return DAMAGED
      throw error
    }
  }
  return [
    say(() => answers.keys(VIEW)),
    ...RANGES.flatMap((range) =>
      keys.flatMap((key) => [
        say(() => answers.stats(VIEW, key, range)),
        say(() => answers.series(VIEW, key, range, 3_600_000)),
      ]),
    ),
  ]
}

/** A lake of the messages, and the index of it; `open` answers from one that holds `content`. */
async function rottable() {
  const dir = mkdtempSync(join(tmpdir(), 'tidemark-rot-'))
  const sound = join(dir, 'sound.db')
  const indexPath = join(dir, 'index.db')
  const rig = await answersRig(host, serviceMinute, { indexPath: sound, disk: nodeDisk() })
  await rig.publish(messages, 1)
  const { tables, clock } = rig
  const bytes = readFileSync(sound)
  const open = (content: Uint8Array) => {
    for (const end of ['-wal', '-shm']) rmSync(indexPath + end, { force: true })
    writeFileSync(indexPath, content)
    const deps = { tables, openCells: null, clock, wake: makeWake(), disk: nodeDisk(), logLine() {} }
    return startAnswers({ tickMs: 30_000, indexPath }, deps)
  }
  const first = await open(bytes)
  const truth = asked(first)
  await first.close()
  return {
    bytes,
    /** The index after a statement. */
    harmed(statement: string): Uint8Array {
      const path = join(dir, 'harmed.db')
      writeFileSync(path, bytes)
      const db = new Database(path)
      db.exec(statement)
      db.close()
      return readFileSync(path)
    },
    /** What is wrong with the answers from an index that holds `content`. */
    async wrongWith(content: Uint8Array): Promise<string[]> {
      const answers = await open(content)
      const wrong = asked(answers).filter((answer, i) => {
        return !(answer === DAMAGED || answer.includes('"complete":false') || answer === truth[i])
      })
      await answers.refresh()
      if (asked(answers).join() !== truth.join()) wrong.push('not made anew')
      await answers.close()
      return wrong.map((answer) => answer.slice(0, 200))
    },
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true })
    },
  }
}

test(`with any of ${BITS} bits of the index flipped, each answer is right or says that it is not whole, and all are right in the end`, async () => {
  await using rot = await rottable()
  const random = simRandom(1)
  const wrong: string[] = []
  for (let n = 0; n < BITS; n++) {
    // Every other one where SQLite keeps what it needs itself: the heads of its pages.
    const page = PAGE_BYTES * Math.floor((random.float() * rot.bytes.length) / PAGE_BYTES)
    const at = page + Math.floor(random.float() * (n % 2 === 0 ? HEAD_BYTES : PAGE_BYTES))
    const flipped = Buffer.from(rot.bytes)
    flipped[at]! ^= 1 << Math.floor(random.float() * 8)
    for (const answer of await rot.wrongWith(flipped)) wrong.push(`byte ${at}: ${answer}`)
  }
  expect(wrong.slice(0, 3)).toEqual([])
}, 120_000)

/** What damage of SQLite's own pages comes to: rows that are not found, or others than those asked for. */
test.for([
  "DELETE FROM chunk WHERE first = 'service-3'",
  "UPDATE chunk SET first = 'service-33' WHERE first = 'service-3'",
  "UPDATE chunk AS c SET body = (SELECT body FROM chunk AS o WHERE o.file = c.file AND level = 2 AND first = 'service-4' AND o.piece = c.piece) WHERE level = 2 AND first = 'service-3'",
  'UPDATE chunk AS c SET body = (SELECT body FROM chunk AS o WHERE o.file = c.file AND o.first = c.first AND o.piece = c.piece AND level = 1) WHERE level = 0',
  'UPDATE chunk AS c SET body = (SELECT body FROM chunk AS o WHERE o.file = c.file AND o.first = c.first AND o.piece = c.piece AND level = 0 AND slice = 1) WHERE level = 0 AND slice = 2',
  'DELETE FROM chunk WHERE piece > 0',
  'DELETE FROM chunk WHERE level = 0 AND slice = 0',
  "DELETE FROM block WHERE first = 'service-15'",
  "UPDATE block SET first = 'service-16' WHERE first = 'service-15'",
  'UPDATE block SET slices = 0',
  "DELETE FROM known WHERE key = 'service-3'",
  "UPDATE file SET date = '2026-11-30' WHERE id = 2",
  'DROP TABLE known',
  'ALTER TABLE chunk RENAME TO chink',
])('no answer stands on an index in which %s', async (damage) => {
  await using rot = await rottable()
  expect(await rot.wrongWith(rot.harmed(damage))).toEqual([])
})
