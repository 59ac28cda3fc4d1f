import { HOUR_MS } from '../../schemas/time.ts'
import {
  clone,
  crowd,
  flood,
  rejectsFull,
  smallSpool,
  spoolDisk,
  startAgent,
  wrongClock,
} from './actions/agents.ts'
import { backup } from './actions/backup.ts'
import { correctRows } from './actions/correct.ts'
import { erase } from './actions/erase.ts'
import { expire } from './actions/expire.ts'
import { importRows } from './actions/import.ts'
import { badNumbered, lines, repeat, send } from './actions/messages.ts'
import { crash, define, fuse, keepIndex, loseIndex, powerFuse, restartNode } from './actions/process.ts'
import {
  clockStep,
  cut,
  diskErrors,
  diskFull,
  diskSlow,
  layerSlow,
  slowNetwork,
  stall,
  storeTrouble,
  wait,
} from './actions/trouble.ts'
import { compact, vacuum } from './actions/upkeep.ts'
import { checkAsOf } from './check.ts'
import { deleteJournal, flipDataFile, flipJournal } from './damage.ts'
import type { Dice } from './dice.ts'
import type { FaultName } from './faults.ts'
import type { Simulation } from './simulation.ts'
import { TICK_MS } from './site.ts'

export interface Action {
  /** How often, against the others. */
  readonly weight: number
  /** The fault or task it belongs to; null for what happens every day. */
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
  'lists lag': {
    weight: 3,
    fault: 'store-stale',
    act: (sim, dice) => storeTrouble(sim, dice, 'staleListMs'),
  },
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

  compact: { weight: 8, fault: 'upkeep', act: compact },
  vacuum: { weight: 4, fault: 'upkeep', act: vacuum },
  erase: { weight: 4, fault: 'erase', up: true, act: erase },
  import: { weight: 6, fault: 'import', act: importRows },
  correct: { weight: 8, fault: 'correct', act: correctRows },
  expire: { weight: 6, fault: 'expire', act: expire },
  backup: { weight: 8, fault: 'backup', up: true, act: backup },
} as const satisfies { readonly [name: string]: Action }

export type ActionName = keyof typeof ACTIONS
