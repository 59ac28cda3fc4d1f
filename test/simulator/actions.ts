import { REJECTS_BYTES_MAX } from '../../collector/intake/limits.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { toLine } from '../../schemas/message.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { scores } from '../schemas/nasty-messages.ts'
import { drain } from '../sim/incarnation.ts'
import { badNumberedLine } from './bad-lines.ts'
import { checkAsOf } from './check.ts'
import { deleteJournal, flipDataFile, flipJournal } from './damage.ts'
import type { Dice } from './dice.ts'
import type { FaultName } from './faults.ts'
import { HOSTS, SERVICES } from './fleet.ts'
import { shapedLine } from './line-shapes.ts'
import type { Sender } from './sender.ts'
import type { Simulation } from './simulation.ts'
import { REJECTS_DIR, TICK_MS } from './site.ts'

export interface Action {
  /** How often, against the others. */
  readonly weight: number
  /** The fault it belongs to; null for what happens every day. */
  readonly fault: FaultName | null
  /** Needs the process to be up. */
  readonly up?: boolean
  /** Does it, or begins it, and says what in a few words. */
  act(sim: Simulation, dice: Dice): Promise<string> | string
}

const SHORT_MS = [0, 10, 100, 1_000]

/** Everything that can happen in a step. What takes time is begun here and goes on while other steps happen. */
export const ACTIONS = {
  send: { weight: 26, fault: null, act: (sim, dice) => send(sim, dice, false) },
  late: { weight: 12, fault: 'late', act: (sim, dice) => send(sim, dice, true) },
  repeat: { weight: 7, fault: null, act: repeat },
  lines: { weight: 4, fault: null, act: (sim, dice) => lines(sim, dice, false) },
  'wait shortly': { weight: 8, fault: null, act: (sim, dice) => wait(sim, dice.pick(SHORT_MS)) },
  'wait ticks': { weight: 8, fault: null, act: (sim, dice) => wait(sim, dice.pick([1, 1, 3]) * TICK_MS) },
  'wait long': { weight: 1.5, fault: null, act: (sim) => wait(sim, HOUR_MS / 4) },
  tick: {
    weight: 5,
    fault: null,
    up: true,
    act: (sim) => sim.begin('tick', (parts) => parts.speed.tick()),
  },
  seal: { weight: 4, fault: null, up: true, act: (sim) => sim.begin('seal', (parts) => parts.writer.seal()) },
  run: { weight: 9, fault: null, up: true, act: (sim) => sim.beginRun(false, 'first') },
  'run full': { weight: 1, fault: null, up: true, act: (sim) => sim.beginRun(true, 'first') },
  'ask as of': { weight: 2, fault: null, up: true, act: (sim, dice) => checkAsOf(sim, dice) },
  'start agent': { weight: 1, fault: null, act: (sim, dice) => startAgent(sim, dice, 0) },
  'restart node': { weight: 1, fault: null, act: restartNode },

  crash: { weight: 2, fault: 'crash', up: true, act: (sim) => crash(sim, 'process') },
  fuse: { weight: 4, fault: 'crash', up: true, act: fuse },
  power: { weight: 2, fault: 'power', up: true, act: (sim) => crash(sim, 'power') },
  'power fuse': { weight: 3, fault: 'power', up: true, act: powerFuse },
  'disk errors': { weight: 2, fault: 'disk-error', act: diskErrors },
  'disk full': { weight: 2, fault: 'disk-full', act: diskFull },
  'disk slow': { weight: 2, fault: 'disk-slow', act: diskSlow },
  'flip in the journal': { weight: 1, fault: 'flip', act: flipJournal },
  'flip in a file': { weight: 0.7, fault: 'flip', act: flipDataFile },
  cut: { weight: 2, fault: 'cut', act: (sim, dice) => cut(sim, dice, 'both') },
  'half open': { weight: 2, fault: 'cut', act: (sim, dice) => cut(sim, dice, 'client') },
  stall: { weight: 2, fault: 'cut', act: stall },
  'slow network': { weight: 1, fault: 'cut', act: slowNetwork },
  'kill agent': { weight: 2, fault: 'agents', act: (sim, dice) => startAgent(sim, dice, 0) },
  'wrong clock': { weight: 1, fault: 'agents', act: wrongClock },
  clone: { weight: 0.7, fault: 'agents', act: clone },
  garbage: { weight: 3, fault: 'garbage', act: (sim, dice) => lines(sim, dice, true) },
  'bad numbered': { weight: 2, fault: 'garbage', act: badNumbered },
  'store errors': { weight: 2, fault: 'store-error', act: (sim, dice) => storeTrouble(sim, dice, 'errors') },
  'store unclear': {
    weight: 3,
    fault: 'store-unclear',
    act: (sim, dice) => storeTrouble(sim, dice, 'unclear'),
  },
  'store slow': { weight: 3, fault: 'store-slow', act: (sim, dice) => storeTrouble(sim, dice, 'slowMs') },
  'lists slow': { weight: 1, fault: 'store-slow', act: (sim, dice) => storeTrouble(sim, dice, 'slowListMs') },
  'layer slow': { weight: 4, fault: 'layer-slow', act: layerSlow },
  'clock step': { weight: 1, fault: 'clock', act: clockStep },
  'second run': { weight: 5, fault: 'twins', up: true, act: (sim) => sim.beginRun(false, 'second') },
  'second seal': {
    weight: 3,
    fault: 'twins',
    up: true,
    act: (sim) => sim.begin('second seal', async (parts) => parts.twin?.writer.seal()),
  },
  define: { weight: 1, fault: 'definition', act: define },
  'lose index': { weight: 1, fault: 'index', up: true, act: (sim) => loseIndex(sim, 'deleted') },
  'keep index': { weight: 1, fault: 'index', act: keepIndex },
  'old index': { weight: 1, fault: 'index', up: true, act: (sim) => loseIndex(sim, 'stale') },
  'delete journal': { weight: 0.5, fault: 'journal', act: deleteJournal },
  flood: { weight: 1, fault: 'flood', act: flood },
  crowd: { weight: 2, fault: 'flood', act: crowd },
  'small spool': { weight: 2, fault: 'spool', act: smallSpool },
  'spool disk': { weight: 2, fault: 'spool', act: spoolDisk },
  'rejects full': { weight: 0.3, fault: 'flood', act: rejectsFull },
} as const satisfies { readonly [name: string]: Action }

export type ActionName = keyof typeof ACTIONS

async function send(sim: Simulation, dice: Dice, late: boolean): Promise<string> {
  const sender = dice.pick(sim.fleet.senders)
  const count = 1 + dice.below(8)
  const nowMs = sim.world.clock.nowMs()
  for (let i = 0; i < count; i++) {
    const backMs = late ? dice.pick([61_000, HOUR_MS, 25 * HOUR_MS, 40 * 24 * HOUR_MS]) : dice.below(2_000)
    make(sim, sender, dice, nowMs - backMs)
  }
  if (late) sim.tally.late += count
  await sendNew(sim, sender)
  return `${sender.agent} sends ${count}${late ? ' late ones' : ''}`
}

function make(sim: Simulation, sender: Sender, dice: Dice, timeMs: number): void {
  const gauges = [dice.below(4), dice.below(4) / 8, dice.pick([0, 1e15, 0.1, 5e-324, 100 * dice.float()])]
  if (dice.below(SCORES_ONE_IN) === 0) {
    makeScore(sim, sender, dice, timeMs)
    return
  }
  const message = { names: [dice.pick(SERVICES), dice.pick(HOSTS)], timeMs, gauges }
  const made = sender.make(message, (numbered) => shapedLine(numbered, dice.float))
  sim.world.oracle.noteSent(made)
}

/** One in so many messages is of the other dataset. */
const SCORES_ONE_IN = 5

function makeScore(sim: Simulation, sender: Sender, dice: Dice, timeMs: number): void {
  const optional = () => dice.pick([Number.NaN, -1, 0, 2.5])
  const message = {
    names: [dice.pick(['A', 'B']), dice.pick(['yes', 'no'])],
    timeMs,
    gauges: [dice.below(4) - 1, optional(), optional()],
    attributes: [dice.pick([null, 'x', 'é'])],
  }
  sim.world.oracle.noteSent(sender.make(message, (numbered) => toLine(scores, numbered)))
}

async function sendNew(sim: Simulation, sender: Sender): Promise<void> {
  if (sender.connected) sender.sendNew()
  else await sim.connect(sender)
  await drain()
}

/** A sender comes back and resends what was acknowledged long ago. */
async function repeat(sim: Simulation, dice: Dice): Promise<string> {
  const sender = dice.pick(sim.fleet.senders)
  const share = dice.float()
  await sim.connect(sender, share)
  return `${sender.agent} reconnects and resends from ${Math.round(share * 100)} % of what is durable`
}

async function lines(sim: Simulation, dice: Dice, vanish: boolean): Promise<string> {
  const count = 1 + dice.below(6)
  const sent = await sim.fleet.sendLines(dice.float, count)
  if (sent === null) return 'nobody takes unnumbered lines'
  if (vanish && dice.float() < 0.5) {
    await drain()
    sent.vanish()
    return `${count} unnumbered lines, the last one cut short`
  }
  sent.finish()
  await drain()
  return `${count} unnumbered lines`
}

async function badNumbered(sim: Simulation, dice: Dice): Promise<string> {
  const sender = dice.pick(sim.fleet.senders)
  make(sim, sender, dice, sim.world.clock.nowMs())
  sender.makeBad((seq) => badNumberedLine(seq, dice.float()))
  await sendNew(sim, sender)
  return `${sender.agent} sends a good and a bad one`
}

async function wait(sim: Simulation, ms: number): Promise<string> {
  await sim.world.clock.advance(ms)
  return `wait ${ms} ms`
}

async function startAgent(sim: Simulation, dice: Dice, skewMs: number): Promise<string> {
  const place = dice.below(2)
  const spooled = dice.float() < 0.7
  const death = dice.pick(['process', 'power'] as const)
  await sim.fleet.startAgent(place, { skewMs, spooled, death })
  const how = `${spooled ? 'with' : 'without'} spool, after ${death === 'power' ? 'a power loss' : 'a crash'}`
  return `an agent on host-${place} ${how}${skewMs === 0 ? '' : `, its clock ${skewMs / 60_000} min ahead`}`
}

function wrongClock(sim: Simulation, dice: Dice): Promise<string> {
  return startAgent(sim, dice, dice.pick([-3 * 24 * 60, -70, 9, 30]) * 60_000)
}

async function restartNode(sim: Simulation): Promise<string> {
  if (!sim.world.config.node) return 'there is no second node'
  await sim.world.startNode()
  return 'the node that knows the lake alone begins anew'
}

async function crash(sim: Simulation, kind: 'process' | 'power'): Promise<string> {
  await sim.crash(kind)
  return `crash (${kind})`
}

/** The process dies in the middle of what it does: of something that it begins now, most of the time. */
function fuse(sim: Simulation, dice: Dice): string {
  const method = dice.pick([null, 'link', 'putIfAbsent', 'sync', 'syncDir', 'write', 'remove'])
  const calls = 1 + dice.below(method === null ? dice.pick([10, 60]) : 3)
  sim.world.life!.dieAfter(calls, method)
  const busy = dice.pick(['idle', 'seal', 'tick', 'run'] as const)
  if (busy === 'seal') sim.begin('seal', (parts) => parts.writer.seal())
  if (busy === 'tick') sim.begin('tick', (parts) => parts.speed.tick())
  if (busy === 'run') sim.beginRun(false, 'first')
  return `dies after ${calls} calls${method === null ? '' : ` of ${method}`}${busy === 'idle' ? '' : `, during a ${busy}`}`
}

function powerFuse(sim: Simulation, dice: Dice): string {
  sim.nextDeath = 'power'
  return `loses power: ${fuse(sim, dice)}`
}

function diskErrors(sim: Simulation, dice: Dice): string {
  const rate = dice.pick([0.05, 0.3, 1])
  const { disk, random } = sim.world
  disk.fault = (what, path) => {
    if (random.float() < rate) throw sim.diskError(`${path}: ${what} failed`)
  }
  return sim.forAWhile('disk errors', dice, () => {
    disk.fault = null
  })
}

function diskFull(sim: Simulation, dice: Dice): string {
  const { disk } = sim.world
  disk.capacityBytes = disk.usedBytes() + dice.pick([0, 100, 2_000])
  return sim.forAWhile('disk full', dice, () => {
    disk.capacityBytes = Number.POSITIVE_INFINITY
  })
}

function diskSlow(sim: Simulation, dice: Dice): string {
  sim.world.slowDiskMs = dice.pick([20, 500, 3_000])
  sim.slow()
  return sim.forAWhile('disk slow', dice, () => {
    sim.slow()
    sim.world.slowDiskMs = 0
  })
}

function cut(sim: Simulation, dice: Dice, kind: 'both' | 'client'): string {
  return sim.world.net.cut(dice.float(), kind)
    ? `a connection breaks (${kind === 'both' ? 'both ends' : 'unnoticed by the collector'})`
    : 'there is no connection to break'
}

function stall(sim: Simulation, dice: Dice): string {
  const ms = dice.pick([500, 10_000, 120_000])
  sim.world.net.stall(dice.float(), ms)
  return `nothing arrives at one end of a connection for ${ms} ms`
}

function slowNetwork(sim: Simulation, dice: Dice): string {
  sim.world.net.delayMs = dice.pick([20, 2_000])
  return sim.forAWhile('slow network', dice, () => {
    sim.world.net.delayMs = 0
  })
}

function clone(sim: Simulation, dice: Dice): string {
  const place = dice.below(2)
  if (sim.fleet.senders.length > 3) return 'enough clones'
  return `a clone of ${sim.fleet.clone(place).agent}`
}

function storeTrouble(
  sim: Simulation,
  dice: Dice,
  kind: 'errors' | 'unclear' | 'slowMs' | 'slowListMs',
): string {
  const { remote } = sim.world
  const slow = kind === 'slowMs' || kind === 'slowListMs'
  remote.trouble[kind] = slow ? dice.pick([30, 1_000, 8_000]) : dice.pick([0.05, 0.3, 0.9])
  return sim.forAWhile(`store: ${kind} ${remote.trouble[kind]}`, dice, () => {
    remote.trouble[kind] = 0
  })
}

function layerSlow(sim: Simulation, dice: Dice): string {
  const layer = dice.pick(['writer', 'speed', 'speed', 'batch'] as const)
  const maxMs = dice.pick([1_000, 20_000, 400_000])
  const holdUp = sim.world.holdUps[layer]
  holdUp.begin(maxMs)
  return sim.forAWhile(`${layer} takes up to ${maxMs / 1_000} s a call`, dice, () => holdUp.end())
}

/** A machine that was set right, or that slept. */
function clockStep(sim: Simulation, dice: Dice): string {
  const ms = dice.pick([2_000, 5 * 60_000, 2 * HOUR_MS, -25 * HOUR_MS])
  sim.world.clock.step(-ms)
  if (ms < 0) return `the clock jumps ahead by ${-ms / 1_000} s`
  const aheadMs = sim.world.clock.nowMs() + 10 * 60_000
  sim.fleet.refusableMs = Math.min(sim.fleet.refusableMs, aheadMs)
  return `the clock steps back by ${ms / 1_000} s`
}

async function smallSpool(sim: Simulation, dice: Dice): Promise<string> {
  const place = dice.below(2)
  const death = dice.pick(['process', 'power'] as const)
  await sim.fleet.startAgent(place, { skewMs: 0, spooled: true, small: true, death })
  return `an agent with a small spool on host-${place}, after ${death === 'power' ? 'a power loss' : 'a crash'}`
}

function spoolDisk(sim: Simulation, dice: Dice): string {
  const host = dice.pick(sim.fleet.hosts.filter((one) => one !== undefined))
  if (dice.float() < 0.5) {
    host.disk.capacityBytes = host.disk.usedBytes() + dice.pick([0, 50, 500])
    return sim.forAWhile(`the disk of ${host.name} is full`, dice, () => host.mend())
  }
  const rate = dice.pick([0.1, 0.5, 1])
  host.disk.fault = (what, path) => {
    if (sim.world.random.float() < rate) throw new TidemarkError('E_DISK', `${path}: ${what} failed`)
  }
  return sim.forAWhile(`the disk of ${host.name} fails`, dice, () => host.mend())
}

async function flood(sim: Simulation, dice: Dice): Promise<string> {
  const name = dice.pick(['unread', 'lines', 'repeats', 'bytes'] as const)
  const slow = dice.float() < 0.5 ? ` ${diskSlow(sim, dice)}` : ''
  const came = await sim.fleet.crowd.flood(name)
  await drain()
  return came ? `a flood of ${name}${slow}` : 'nobody is there to be flooded'
}

async function crowd(sim: Simulation, dice: Dice): Promise<string> {
  const came = await sim.fleet.crowd.come(dice.pick([5, 40, 150]))
  return came === null ? 'a crowd finds nobody' : `${came} clients come and are silent`
}

async function rejectsFull(sim: Simulation): Promise<string> {
  await sim.crash('process')
  const { disk } = sim.world
  const paths = disk.paths().filter((path) => path.startsWith(`${REJECTS_DIR}/`))
  const used = paths.reduce((sum, path) => sum + disk.bytesOf(path).length, 0)
  const room = REJECTS_BYTES_MAX - used - 50_000
  if (room > 0) disk.put(`${REJECTS_DIR}/full-${paths.length}.ndjson`, new Uint8Array(room))
  return 'the folder of refused lines is almost full'
}

async function define(sim: Simulation, dice: Dice): Promise<string> {
  const scale = dice.pick([1, 10, 0.1])
  sim.tally.definitions += 1
  await sim.crash('process')
  const gauges = serviceMinute.gauges.map((one) => (one.gauge === 'cpu' ? { ...one, scale } : one))
  sim.world.view = { ...serviceMinute, gauges }
  return `the next start counts cpu ${scale} times`
}

async function loseIndex(sim: Simulation, kind: 'deleted' | 'stale'): Promise<string> {
  await sim.crash('process')
  sim.world.loseIndex(kind)
  return kind === 'deleted' ? 'the index is deleted' : 'the index is that of an earlier moment'
}

function keepIndex(sim: Simulation): string {
  sim.world.keepIndex()
  return 'a copy of the index is kept'
}
