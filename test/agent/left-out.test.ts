import { expect, test } from 'vitest'
import type { AgentAbout } from '../../agent/agent.ts'
import { hostGauges } from '../../agent/gauges/host-gauges.ts'
import { Client, Rig } from '../collector/rig.ts'
import { SimMachine } from '../sim/machine.ts'
import { close, connectAgent } from './rig.ts'

/** An agent that takes what `sample` gives. */
function start(rig: Rig, sample: () => Promise<number[]>, about: AgentAbout = {}) {
  return connectAgent(rig, { sample, about })
}

test('a sample that lacks a gauge is left out and never sent as 0; said once, and once when they are whole again', async () => {
  const rig = await Rig.start({ port: 7070 })
  let disk = 3
  const agent = start(rig, async () => [1, 2, disk])
  for (let i = 0; i < 5; i++) await rig.run(1_000)
  disk = Number.NaN
  for (let i = 0; i < 20; i++) await rig.run(1_000)
  disk = 4
  for (let i = 0; i < 5; i++) await rig.run(1_000)
  await close(agent, rig)
  const disks = rig.log.messages().map(({ gauges }) => gauges[2])
  expect([...new Set(disks)]).toEqual([3, 4])
  expect(rig.lines).toEqual([
    'agent: without disk there is no sample; they are left out until it can be had',
    'agent: samples are whole again; 20 were left out',
  ])
  expect(rig.log.messages().map(({ seq }) => seq)).toEqual(disks.map((_, i) => i + 1))
})

test('a failure that repeats is said once, and again after it had gone', async () => {
  const rig = await Rig.start({ port: 7070 })
  let fails = true
  const agent = start(rig, async () => {
    if (fails) throw new Error('it is broken')
    return [1, 2, 3]
  })
  for (let i = 0; i < 9; i++) await rig.run(1_000)
  fails = false
  await rig.run(2_000)
  fails = true
  for (let i = 0; i < 9; i++) await rig.run(1_000)
  await close(agent, rig)
  expect(rig.lines).toEqual([
    expect.stringContaining('no sample: it is broken'),
    expect.stringContaining('no sample: it is broken'),
  ])
})

/** An agent over the gauges of a simulated machine. */
async function startOn(machine: SimMachine, rig: Rig) {
  const logLine = (line: string) => void rig.lines.push(line)
  const { sample } = await hostGauges('auto', { machine, clock: rig.clock, logLine })
  return start(rig, sample)
}

test('a disk that hangs after it was known keeps neither CPU nor RAM from being sent', async () => {
  const rig = await Rig.start({ port: 7070 })
  const machine = new SimMachine(rig.clock)
  const agent = await startOn(machine, rig)
  for (let i = 0; i < 10; i++) await rig.run(1_000)
  machine.hanging.add('rootDisk')
  machine.load = 0.75
  for (let i = 0; i < 120; i++) await rig.run(1_000)
  await close(agent, rig)
  const sent = rig.log.messages()
  expect(sent.length).toBeGreaterThanOrEqual(130)
  expect(sent.at(-1)!.gauges).toEqual([75, 25, 30])
  expect(rig.lines).toEqual(['agent: disk cannot be read: no answer within 2 s (E_SAMPLE)'])
})

test('with a machine that answers nothing at all it starts, says so, and stops', async () => {
  const rig = await Rig.start({ port: 7070 })
  const machine = new SimMachine(rig.clock)
  for (const call of ['memory', 'rootDisk', 'controlGroupFile'] as const) machine.hanging.add(call)
  const starting = startOn(machine, rig)
  await rig.run(2_000)
  const agent = await starting
  for (let i = 0; i < 10; i++) await rig.run(1_000)
  expect(agent.status().state).toBe('connected')
  await close(agent, rig)
  await rig.collector.close()
  expect([rig.log.messages(), rig.clock.pending]).toEqual([[], 0])
  expect(rig.lines).toEqual([
    'agent: control group: no answer within 2 s; CPU and RAM are those of the machine',
    'agent: ram cannot be read: no answer within 2 s (E_SAMPLE)',
    'agent: disk cannot be read: no answer within 2 s (E_SAMPLE)',
    'agent: without ram and disk there is no sample; they are left out until it can be had',
  ])
})

const ABOUT = { scope: 'container', version: '0.1.0' } as const

test('the hello says whose CPU and RAM are measured, and which release the agent is of', async () => {
  const rig = new Rig()
  const heard: Client[] = []
  await rig.net.listen('127.0.0.1', 7070, (socket) => void heard.push(new Client(socket)))
  const agent = start(rig, async () => [1, 2, 3], ABOUT)
  await rig.run(100)
  expect(heard[0]!.answers[0]).toMatchObject({ hello: 1, ...ABOUT })
  await close(agent, rig)
})

test('a collector that knows nothing of what a hello says besides welcomes it all the same', async () => {
  const rig = await Rig.start({ port: 7070 })
  const agent = start(rig, async () => [1, 2, 3], ABOUT)
  for (let i = 0; i < 3; i++) await rig.run(1_000)
  expect([agent.status().state, rig.lines]).toEqual(['connected', []])
  await close(agent, rig)
  expect(rig.log.messages().length).toBeGreaterThan(2)
})
