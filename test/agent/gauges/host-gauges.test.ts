import { expect, test } from 'vitest'
import { type HostGauges, hostGauges, type ScopeWanted } from '../../../agent/gauges/host-gauges.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimMachine } from '../../sim/machine.ts'

/** Gauges of a simulated machine, and one sample a second of it. */
class Rig {
  readonly clock = new SimClock(1_764_000_000_000)
  readonly machine = new SimMachine(this.clock)
  readonly lines: string[] = []
  gauges!: HostGauges

  async start(scope: ScopeWanted = 'auto'): Promise<this> {
    const logLine = (line: string) => void this.lines.push(line)
    this.gauges = await this.#within(
      3_000,
      hostGauges(scope, { machine: this.machine, clock: this.clock, logLine }),
    )
    return this
  }

  /** The next sample, which takes three seconds at most whatever happens; they pass. */
  async sample(): Promise<number[]> {
    const untilMs = this.clock.nowMs() + SAMPLE_MS
    const found = await this.#within(SAMPLE_MS, this.gauges.sample())
    await this.clock.advance(untilMs - this.clock.nowMs())
    return found
  }

  async #within<T>(ms: number, work: Promise<T>): Promise<T> {
    let isOver = false
    const over = () => {
      isOver = true
    }
    work.then(over, over)
    for (let passedMs = 0; passedMs <= ms; passedMs += 100) {
      await this.clock.advance(passedMs === 0 ? 0 : 100)
      if (isOver) return work
    }
    throw new Error(`it takes longer than ${ms} ms`)
  }
}

const SAMPLE_MS = 3_000
const NONE = Number.NaN

test('all gauges of a machine, in percent', async () => {
  const rig = await new Rig().start()
  expect(await rig.sample()).toEqual([25, 25, 30])
  expect([rig.gauges.scope, rig.lines]).toEqual(['host', []])
})

test('the first load is measured too, for a fifth of a second, and not made up', async () => {
  const rig = new Rig()
  rig.machine.cores = 1
  await rig.start()
  expect(rig.machine.monotonicMs()).toBe(0)
  expect((await rig.sample())[0]).toBe(25)
})

test('a disk that hangs costs its gauge alone, is said once, and not asked again until it answers', async () => {
  const rig = new Rig()
  rig.machine.hanging.add('rootDisk')
  await rig.start()
  for (let i = 0; i < 200; i++) expect(await rig.sample()).toEqual([25, 25, NONE])
  expect(rig.machine.calls.filter((call) => call === 'rootDisk')).toHaveLength(1)
  expect(rig.lines).toEqual([expect.stringMatching(/^agent: disk cannot be read: .*no answer within 2 s/)])
  await rig.machine.wake()
  for (let i = 0; i < 40; i++) await rig.sample()
  expect(await rig.sample()).toEqual([25, 25, 30])
  expect(rig.lines.slice(1)).toEqual(['agent: disk can be read again'])
})

test('a disk that hangs later is as it was for ten minutes, and then unknown', async () => {
  const rig = await new Rig().start()
  await rig.sample()
  rig.machine.hanging.add('rootDisk')
  const disks: number[] = []
  for (let i = 0; i < 400; i++) disks.push((await rig.sample())[2]!)
  const known = disks.filter((disk) => disk === 30).length
  expect(disks.slice(known).every(Number.isNaN)).toBe(true)
  expect(known * 3).toBeGreaterThan(500)
  expect(known * 3).toBeLessThan(700)
  expect(rig.lines).toHaveLength(1)
})

test('the disk is asked once a minute, and no sample waits for it but the first', async () => {
  const rig = await new Rig().start()
  await rig.sample()
  rig.machine.hanging.add('rootDisk')
  for (let i = 0; i < 30; i++) {
    const sampling = rig.gauges.sample()
    await rig.clock.advance(0)
    expect(await Promise.race([sampling, 'waits'])).not.toBe('waits')
    await rig.clock.advance(10_000)
  }
  expect(rig.machine.calls.filter((call) => call === 'rootDisk')).toHaveLength(2)
})

test('memory that hangs or fails is unknown, and CPU and disk go on', async () => {
  const rig = await new Rig().start()
  rig.machine.hanging.add('memory')
  for (let i = 0; i < 5; i++) expect(await rig.sample()).toEqual([25, NONE, 30])
  await rig.machine.wake()
  expect(await rig.sample()).toEqual([25, 25, 30])
  rig.machine.failing.add('memory')
  expect(await rig.sample()).toEqual([25, NONE, 30])
  expect(rig.lines.map((line) => line.slice(0, 28))).toEqual([
    'agent: ram cannot be read: n',
    'agent: ram can be read again',
    'agent: ram cannot be read: n',
  ])
})

test('what the system gives that cannot be is unknown, never 0', async () => {
  const rig = await new Rig().start()
  await rig.sample()
  rig.machine.total = 0
  rig.machine.cores = 0
  expect(await rig.sample()).toEqual([NONE, NONE, 30])
  const other = new Rig()
  other.machine.used = 0
  other.machine.free = 0
  await other.start()
  expect((await other.sample())[2]).toEqual(NONE)
})

/** Half of two cores in use, and 300 of 1,000 bytes beside what can be given up. */
function limited(rig: Rig): Rig {
  const { files } = rig.machine
  files.set('cpu.max', '200000 100000\n')
  files.set('memory.max', '1000\n')
  files.set('memory.current', '800\n')
  files.set('memory.stat', 'anon 100\ninactive_file 500\nactive_file 1\n')
  files.set('cpu.stat', () => `usage_usec ${rig.machine.monotonicMs() * 1_000}\nuser_usec 1\n`)
  return rig
}

test('in a container with limits CPU and RAM are its own, of what it may use', async () => {
  const rig = await limited(new Rig()).start()
  expect(rig.gauges.scope).toBe('container')
  expect(await rig.sample()).toEqual([50, 30, 30])
})

test('one limit is enough; where there is none it is the size of the machine', async () => {
  const noCpu = limited(new Rig())
  noCpu.machine.files.set('cpu.max', 'max 100000\n')
  expect(await (await noCpu.start()).sample()).toEqual([25, 30, 30])
  const noMemory = limited(new Rig())
  noMemory.machine.files.set('memory.max', 'max\n')
  expect(await (await noMemory.start()).sample()).toEqual([50, 3.75, 30])
})

test('a limit above the machine is none', async () => {
  const rig = limited(new Rig())
  rig.machine.files.set('cpu.max', '900000 100000\n')
  rig.machine.files.set('memory.max', '16000\n')
  expect(await (await rig.start()).sample()).toEqual([25, 3.75, 30])
})

test('a limit that changes is noticed within a minute', async () => {
  const rig = await limited(new Rig()).start()
  await rig.sample()
  rig.machine.files.set('cpu.max', '100000 100000\n')
  for (let i = 0; i < 21; i++) await rig.sample()
  expect((await rig.sample())[0]).toBe(100)
})

test('without limits, or without control groups of version 2, it is the machine that is measured', async () => {
  const rig = limited(new Rig())
  rig.machine.files.set('cpu.max', 'max 100000\n')
  rig.machine.files.set('memory.max', 'max\n')
  expect((await rig.start()).gauges.scope).toBe('host')
  expect((await new Rig().start()).gauges.scope).toBe('host')
})

test('host and container can be asked for', async () => {
  const rig = await limited(new Rig()).start('host')
  expect([rig.gauges.scope, await rig.sample()]).toEqual(['host', [25, 25, 30]])
  const free = limited(new Rig())
  free.machine.files.set('cpu.max', 'max 100000\n')
  free.machine.files.set('memory.max', 'max\n')
  await free.start('container')
  expect([free.gauges.scope, await free.sample()]).toEqual(['container', [25, 3.75, 30]])
  await expect(new Rig().start('container')).rejects.toMatchObject({
    code: 'E_CONFIG',
    message: expect.stringMatching(/scope.*container.*cgroup v2/),
  })
})

test('control groups that hang are given up at the start, and later cost CPU and RAM alone', async () => {
  const early = limited(new Rig())
  early.machine.hanging.add('controlGroupFile')
  await early.start()
  expect([early.gauges.scope, await early.sample()]).toEqual(['host', [25, 25, 30]])
  expect(early.lines).toEqual([expect.stringMatching(/control group.*no answer within 2 s.*the machine/)])
  const later = await limited(new Rig()).start()
  await later.sample()
  later.machine.hanging.add('controlGroupFile')
  expect(await later.sample()).toEqual([NONE, NONE, 30])
  await later.machine.wake()
  await later.sample()
  expect(await later.sample()).toEqual([50, 30, 30])
  expect(later.lines.map((line) => line.slice(0, 33))).toEqual([
    'agent: cpu and ram cannot be read',
    'agent: cpu and ram can be read ag',
  ])
})

test('files of a control group that make no sense are unknown, never 0', async () => {
  const rig = await limited(new Rig()).start()
  await rig.sample()
  rig.machine.files.set('memory.current', 'nonsense')
  expect((await rig.sample())[1]).toEqual(NONE)
  rig.machine.files.set('memory.current', '800')
  rig.machine.files.delete('memory.stat')
  expect((await rig.sample())[1]).toBe(80)
})
