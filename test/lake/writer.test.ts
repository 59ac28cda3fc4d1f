import { expect, test } from 'vitest'
import { sealThread } from '../../cli/host/seal-thread.ts'
import type { Snapshot } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { MemoryStore } from '../../lake/store/memory.ts'
import { lakeTables } from '../../lake/tables/deployment.ts'
import { type ViewState, viewSchema, withViewState } from '../../lake/tables/published.ts'
import { encodeHere, type SealEncoder, type SealFile } from '../../lake/writer/seal-files.ts'
import { startLakeWriter } from '../../lake/writer/writer.ts'
import type { Dataset } from '../../schemas/dataset.ts'
import { host } from '../../schemas/datasets/host.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { makeWake } from '../../schemas/ports/wake.ts'
import { offsetIn } from '../../schemas/position.ts'
import { DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { SimClock } from '../sim/clock.ts'
import { drain } from '../sim/incarnation.ts'
import { SimLog } from '../sim/log.ts'
import { simRandom } from '../sim/random.ts'
import { blockOf, DATE } from './rows.ts'

const ROWS = 50
const UNSEALED_BYTES_MAX = 1_000
/** The sealing thread lets others go first: on a busy machine its start takes seconds. */
const THREAD = { timeout: 15_000 }

/** A lake writer for which the date of the rows is over: two files of it are merged. */
async function rig(encoder: SealEncoder = encodeHere) {
  const clock = new SimClock(Date.parse(`${DATE}T00:00:00Z`) + DAY_MS + 2 * HOUR_MS)
  const store = new MemoryStore(clock)
  const random = simRandom(1)
  const { datasets } = lakeTables({ datasets: [host], views: [serviceMinute] }, (name) =>
    openTable(name, { store, clock, random }),
  )
  const { messages } = datasets[0]!
  const view = datasets[0]!.views[0]!.published
  const log = new SimLog()
  const trimmed: number[] = []
  log.trim = async (position) => void trimmed.push(offsetIn(position, 0))
  const wake = makeWake()
  const said: string[] = []
  const writer = await startLakeWriter(
    { retentionMs: DAY_MS, named: {}, unsealedBytesMax: UNSEALED_BYTES_MAX },
    { log, datasets, clock, wake, encoder, logLine: (line) => void said.push(line) },
  )
  const files = async () => [...((await messages.snapshot()) as Snapshot).files.values()]
  return {
    ...{ clock, store, view, log, wake, said, trimmed, writer, files },
    async seal() {
      log.blocks.push(blockOf(log.blocks.length, ROWS))
      await writer.seal()
    },
    rows: async () => (await files()).reduce((sum, { rows }) => sum + rows, 0),
  }
}

test('a seal waits for no merge', async () => {
  let merging = 0
  let release = (): void => expect.fail('nothing merges')
  const held = async (dataset: Dataset, inputs: readonly Uint8Array[], date: string): Promise<SealFile> => {
    merging += 1
    await new Promise<void>((resolve) => {
      release = resolve
    })
    return encodeHere.merge(dataset, inputs, date)
  }
  const { writer, seal, files, rows } = await rig({ ...encodeHere, merge: held })
  await seal()
  await seal()
  await expect.poll(() => merging).toBe(1)
  await seal()
  expect((await files()).map(({ rows }) => rows)).toEqual([ROWS, ROWS, ROWS])
  release()
  await expect.poll(async () => (await files()).length).toBe(2)
  expect(await rows()).toBe(3 * ROWS)
  await expect.poll(() => merging).toBe(2)
  release()
  await expect.poll(async () => (await files()).length).toBe(1)
  expect(await rows()).toBe(3 * ROWS)
  await writer.close()
})

test('a merge whose thread is killed is an error, its files stay, and the next upkeep merges them', async () => {
  const thread = sealThread()
  let kill: (() => unknown) | null = null
  process.once('worker', (worker) => {
    kill = () => worker.terminate()
  })
  const { writer, seal, said, files, rows } = await rig({
    ...thread,
    merge(dataset, inputs, date) {
      const merging = thread.merge(dataset, inputs, date)
      if (kill !== null) setImmediate(kill)
      kill = null
      return merging
    },
  })
  await seal()
  await seal()
  await expect.poll(() => said.join(), THREAD).toMatch(/lake writer: .*the sealing thread ended/)
  expect([(await files()).length, writer.status().state]).toEqual([2, 'failing'])
  await seal()
  await writer.tend()
  expect([(await files()).length, await rows(), writer.status().state]).toEqual([1, 3 * ROWS, 'ok'])
  await writer.close()
})

test('a damaged file is said and not merged', async () => {
  const { store, writer, seal, said, files } = await rig()
  await seal()
  const path = (await files())[0]!.path
  store.objects.get(`messages/${path}`)!.bytes[40]! ^= 1
  await seal()
  await writer.tend()
  expect((await files()).length).toBe(2)
  expect(said.at(-1)).toMatch(/E_FILE_DAMAGED.*; not merged/)
  expect(writer.status().state).toBe('ok')
  await writer.close()
})

test('before senders must wait for the lake, it seals without being asked', async () => {
  const { log, writer, rows } = await rig()
  log.blocks.push(blockOf(0, ROWS))
  log.uncovered = UNSEALED_BYTES_MAX / 2
  log.changed()
  expect(await rows()).toBe(0)
  log.uncovered += 1
  log.changed()
  await expect.poll(rows).toBe(ROWS)
  await writer.close()
})

test('a seal that fails is tried again by itself, not with every block, until the store takes it', async () => {
  const { clock, store, log, writer, said, rows } = await rig()
  let tries = 0
  store.faults = ({ what, when }) => {
    if (what !== 'putIfAbsent' || when !== 'before') return
    tries += 1
    throw new TidemarkError('E_STORE', 'no space left')
  }
  log.uncovered = UNSEALED_BYTES_MAX
  for (let offset = 0; offset < 100; offset++) {
    log.blocks.push(blockOf(offset, 1))
    log.changed()
    await drain()
  }
  expect([tries, writer.status().state, said.length]).toEqual([1, 'failing', 1])
  await clock.advance(5_000)
  expect([tries, said.length]).toEqual([2, 1])
  store.faults = null
  await clock.advance(5_000)
  expect([await rows(), writer.status().state]).toEqual([100, 'ok'])
  await writer.close()
})

test('far behind it seals with urgency, until little is left', async () => {
  const urgencies: (boolean | undefined)[] = []
  const encoder: SealEncoder = {
    ...encodeHere,
    encode: async (_datasets, blocks, urgent) => {
      urgencies.push(urgent)
      return { blocks: blocks.length, files: [], refused: [] }
    },
  }
  const { log, writer } = await rig(encoder)
  const block = blockOf(0, 1)
  for (let offset = 0; offset < 101_000; offset++) log.blocks.push({ ...block, offset })
  await writer.seal()
  const calm = urgencies.indexOf(false)
  expect(urgencies.slice(0, calm)).toEqual(Array(calm).fill(true))
  expect(urgencies.slice(calm)).toEqual(Array(urgencies.length - calm).fill(false))
  // The last 10,000 blocks are no hurry.
  expect([calm > 20, urgencies.length - calm]).toEqual([true, 3])
  await writer.close()
})

test('the log is trimmed as soon as a publish no longer needs it', async () => {
  const { view, wake, trimmed, writer, seal } = await rig()
  const empty = await view.create(viewSchema(serviceMinute), {})
  await seal()
  await seal()
  await expect.poll(() => trimmed.at(-1)).toBe(-1)
  const state: ViewState = {
    tidemark: { 0: 0 },
    hash: 'h',
    definition: '{}',
    messagesVersion: 1,
    dirtyHours: [],
    gaps: [],
    run: 'run-1',
  }
  const configuration = withViewState(empty, state)
  await view.commit(empty, { operation: 'PUBLISH', dataChange: true, configuration })
  wake.notify()
  await expect.poll(() => trimmed.at(-1)).toBe(0)
  await writer.close()
})
