import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nodeClock } from '../../../cli/host/clock.ts'
import { nodeDisk } from '../../../cli/host/disk.ts'
import { nodeRandom } from '../../../cli/host/random.ts'
import { runCli } from '../../../cli/main.ts'
import { openJournal } from '../../../log/journal/journal.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { gateIn } from '../../batch/rig.ts'
import { apiRig } from '../../serving/http/rig.ts'
import { encodeBlock } from '../../sim/blocks.ts'
import { hostColumns } from '../../sim/messages.ts'

let data: string
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'tidemark-batch-'))
})
afterEach(() => rm(data, { recursive: true }))

/** `tidemark batch --once` on `data`: its exit code, and what it wrote. `stopped` is Ctrl-C. */
const batchOnce = (flags: readonly string[] = [], stopped?: Promise<void>) =>
  command(['batch', '--once', ...flags], stopped)

function command(args: readonly string[], stopped: Promise<void> = new Promise(() => {})) {
  const written = { out: '', err: '' }
  const io = {
    cwd: data,
    env: {},
    readText: async () => null,
    out: (text: string) => {
      written.out += text
    },
    err: (text: string) => {
      written.err += text
    },
    isTerminal: false,
    columns: null,
    take: async () => true,
    stopped,
  }
  const code = runCli([...args, '--data', data], io)
  return { written, code }
}

/** An `up` on `data`, as far as the command sees it. */
async function up() {
  const rig = await apiRig()
  const serving = await rig.app.listen({ host: '127.0.0.1', port: 0 })
  await writeFile(join(data, 'addresses.json'), JSON.stringify({ collector: '127.0.0.1:1', serving }))
  return rig
}

test('a running `up` runs it: the command ends when the run has ended, and says what came of it', async () => {
  await using rig = await up()
  const gate = gateIn(rig.store, 'service_minute/date=')
  const { written, code } = batchOnce()
  await gate.reached
  await expect.poll(() => written.err).toMatch(/^run \w+ computes, 0 of 1 dates$/m)
  expect(written.out).toBe('')
  gate.open()
  expect(await code).toBe(0)
  expect(written.out).toMatch(
    /^run \w+ published version 2 of service_minute: 1 hour recomputed, .*\nrun \w+ published .* host_minute.*\n$/,
  )
  const again = batchOnce()
  expect([await again.code, again.written.out]).toEqual([0, expect.stringContaining('found nothing new')])
})

test('Ctrl-C cancels the run that it started: exit code 1', async () => {
  await using rig = await up()
  const gate = gateIn(rig.store, 'messages/')
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
  const { written, code } = batchOnce([], stopped)
  await gate.reached
  stop()
  expect(await code).toBe(1)
  expect(written.out).toMatch(
    /^run \w+ of service_minute was cancelled\nrun \w+ of host_minute was cancelled\n$/,
  )
  gate.open()
})

test.each([
  [[], /^tidemark: no run is going on/],
  [['RUN'], /has ended/],
])(
  '`tidemark runs cancel` ends the run that is going on, or the one it names: %j',
  async (named, afterwards) => {
    await using rig = await up()
    const gate = gateIn(rig.store, 'service_minute/date=')
    const { run, ended } = rig.batch.start({ full: true })
    await gate.reached
    const cancel = () => command(['runs', 'cancel', ...named.map(() => run)])
    const cancelled = cancel()
    expect([await cancelled.code, cancelled.written.out]).toEqual([
      0,
      `run ${run} is cancelled; views that it had published stay so\n`,
    ])
    gate.open()
    expect((await ended).map(({ result }) => result)).toEqual(['cancelled', 'cancelled'])
    const again = cancel()
    expect([await again.code, again.written.err]).toEqual([1, expect.stringMatching(afterwards)])
  },
)

test('where no `up` runs, there is no run to cancel', async () => {
  const { written, code } = command(['runs', 'cancel'])
  expect([await code, written.err]).toEqual([1, expect.stringMatching(/no tidemark up runs on/)])
})

test('a run that fails, or may not start beside another, is exit code 1', async () => {
  await using rig = await up()
  rig.store.faults = ({ what, key }) => {
    if (what === 'putIfAbsent' && key.startsWith('host_minute/date='))
      throw new TidemarkError('E_DISK_FULL', 'no space left')
  }
  const failed = batchOnce()
  expect(await failed.code).toBe(1)
  expect(failed.written.out).toMatch(
    /published version 2 of service_minute.*\n.*host_minute failed: no space left/,
  )
  const gate = gateIn(rig.store, 'host_minute/date=')
  const { run, ended } = rig.batch.start({ full: true })
  await gate.reached
  const refused = batchOnce()
  expect(await refused.code).toBe(1)
  expect(refused.written.err).toContain(`run ${run} is going on; wait for it to end, or cancel it`)
  gate.open()
  await ended
})

/** Appends a message to the journal of `data`, as an `up` that was killed leaves it. */
async function leaveMessage() {
  const deps = { disk: nodeDisk(), clock: nodeClock(), random: nodeRandom(), logLine: () => {} }
  const journal = await openJournal({ dir: join(data, 'journal'), holder: 'test', floor: {} }, deps)
  const messages = [{ service: 'web', host: 'h', timeMs: Date.UTC(2026, 10, 22, 9), gauges: [1, 2, 3] }]
  await journal.append(0, encodeBlock(hostColumns(messages)))
  await journal.close()
}

test('where no `up` runs, the command runs it itself, over all that is in the journal', async () => {
  for (let n = 1; n <= 2; n++) {
    await leaveMessage()
    const { written, code } = batchOnce(['--engine', 'reference'])
    expect(await code).toBe(0)
    expect(written.out).toMatch(
      new RegExp(`published version ${n} of service_minute: 1 hour recomputed, 1 row`),
    )
  }
  const { written, code } = batchOnce(['--full'], Promise.resolve())
  expect([await code, written.out]).toEqual([1, expect.stringMatching(/service_minute was cancelled/)])
})
