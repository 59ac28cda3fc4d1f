import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import si from 'systeminformation'
import { expect, test } from 'vitest'
import { hostGauges } from '../../../agent/gauges/host-gauges.ts'
import { nodeClock } from '../../../cli/host/clock.ts'
import { MEMORY_PART, nodeMachine } from '../../../cli/host/machine.ts'

test('this host is sampled in percent, with two decimals', async () => {
  const { sample } = await hostGauges('host', {
    machine: nodeMachine(),
    clock: nodeClock(),
    logLine: () => {},
  })
  const [cpu, ram, disk, ...rest] = await sample()
  for (const value of [cpu!, ram!, disk!]) {
    expect(value).toBeGreaterThanOrEqual(0)
    expect(value).toBeLessThanOrEqual(100)
    expect(Math.round(value * 100) / 100).toBe(value)
  }
  expect([ram! > 0, disk! > 0, rest]).toEqual([true, true, []])
})

test("the memory is systeminformation's, of which only that part is loaded", async () => {
  const whole = await si.mem()
  const { total, available } = await nodeMachine().memory()
  expect(total).toBe(whole.total)
  expect(Math.abs(available - whole.available) / total).toBeLessThan(0.1)
  expect(await import(MEMORY_PART)).toHaveProperty('mem')
})

test("the load is systeminformation's", async () => {
  const machine = nodeMachine()
  await si.currentLoad()
  const before = machine.coreTimes()
  await wait(500)
  const after = machine.coreTimes()
  const { currentLoad } = await si.currentLoad()
  const ours = ((after.busyMs - before.busyMs) / (after.allMs - before.allMs)) * 100
  expect(Math.abs(ours - currentLoad)).toBeLessThan(10)
})

test('the disk in use is what df says of the root', async () => {
  const { used, available } = await nodeMachine().rootDisk()
  const [, percent] = /(\d+)%/.exec(execFileSync('df', ['-P', '/'], { encoding: 'utf8' }))!
  expect(Math.abs((used / (used + available)) * 100 - Number(percent))).toBeLessThan(2)
})

test('files of a control group are read where it is mounted, absent ones are null', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-cgroup-'))
  try {
    await writeFile(join(dir, 'cpu.max'), 'max 100000\n')
    const machine = nodeMachine(dir)
    expect(await machine.controlGroupFile('cpu.max')).toBe('max 100000\n')
    expect(await machine.controlGroupFile('memory.max')).toBeNull()
    expect(await nodeMachine(join(dir, 'nowhere')).controlGroupFile('cpu.max')).toBeNull()
  } finally {
    await rm(dir, { recursive: true })
  }
})
