import { ago, bytesText, count, lagText } from '../time/words.ts'
import {
  type Agents,
  isHere,
  LAYERS,
  type Layer,
  type LayerName,
  type SpeedElsewhere,
  type Status,
} from './status.ts'

/**
 * What an operator wants to know first: where it sticks.
 *
 *     ok: flows    late: flows, but behind    stuck: does not work, and says why    away: in another process, which tells more
 */
export type Level = 'ok' | 'late' | 'stuck' | 'away'

export interface Judged {
  readonly level: Level
  /** What is wrong, or what tells more; empty where nothing is. */
  readonly words: string
}

export type Judgement = { readonly [layer in LayerName | 'disk']: Judged }

/** What reads the log at once is late after so long. */
const AT_ONCE_LATE_MS = 5_000
/** The log is sealed every hour: twice that is late. */
const LAKE_LATE_MS = 2 * 3_600_000
/** An agent that is connected and sent nothing newer is late. */
const AGENT_LATE_MS = 5 * 60_000
/** A disk of which less is free is nearly full. */
const FREE_SHARE_MIN = 0.05

const WORKS = ['ok', 'idle', 'running', 'connected', 'off', 'counting']
const OK: Judged = { level: 'ok', words: '' }

const AGENTS_AWAY: Judged = {
  level: 'away',
  words: 'an agent is known to the collector that it sends to; hosts are listed below by their last message',
}

/** Judges every layer by its state, its lag and what it lost. */
export function judge(status: Status, agents: Agents | null): Judgement {
  const { collector, log, lake, speed, batch, serving, storage } = status
  const failed = batch.last_views?.find(({ result }) => result === 'failed')
  const gaps = log.gaps?.length ?? 0
  return {
    agents: isHere(collector) ? judgeAgents(agents) : AGENTS_AWAY,
    collector: stateOf(collector),
    log: worst(
      stateOf(log),
      gaps === 0 ? OK : late(`${count(gaps)} ${gaps === 1 ? 'range' : 'ranges'} lost`),
    ),
    lake: worst(stateOf(lake), lagOf(lake, LAKE_LATE_MS)),
    batch: failed === undefined ? stateOf(batch) : stuck(failed.error ?? 'the last run failed'),
    speed: isHere(speed)
      ? worst(stateOf(speed), lagOf(speed, AT_ONCE_LATE_MS))
      : judgeTicks(speed, status.time),
    serving: worst(stateOf(serving), lagOf(serving, AT_ONCE_LATE_MS)),
    disk: judgeDisk(storage),
  }
}

/** Others wait for these: what is wrong with the first is why the rest is late. */
const BLAME: readonly (keyof Judgement)[] = ['disk', 'log', 'lake', ...LAYERS]

/** Where it sticks, the cause before what waits for it; null where everything flows. */
export function sticksAt(judgement: Judgement): keyof Judgement | null {
  const first = (level: Level) => BLAME.find((name) => judgement[name].level === level)
  return first('stuck') ?? first('late') ?? null
}

const stuck = (words: string): Judged => ({ level: 'stuck', words })
const late = (words: string): Judged => ({ level: 'late', words })
const worst = (a: Judged, b: Judged) => (a.level === 'ok' ? b : a)

function stateOf(layer: Layer): Judged {
  if (layer.state === 'elsewhere') return { level: 'away', words: layer.reason ?? '' }
  return WORKS.includes(layer.state) ? OK : stuck(layer.reason || layer.state.replaceAll('_', ' '))
}

function lagOf(layer: Layer, lateMs: number): Judged {
  return (layer.lag_ms ?? 0) > lateMs ? late(lagText(layer)) : OK
}

/** Speed in other processes: it commits so often that its silence tells. */
function judgeTicks(speed: SpeedElsewhere, time: string): Judged {
  const { at_log_end: end, late_after: due } = speed
  if (end === null || due === null || time <= due) return stateOf(speed)
  return late(`it was at the end of the log ${ago(Date.parse(time) - Date.parse(end))} for the last time`)
}

function judgeAgents(agents: Agents | null): Judged {
  const behind = agents?.agents.filter(({ lag_ms }) => (lag_ms ?? 0) > AGENT_LATE_MS).length ?? 0
  if (behind === 0) return OK
  return late(`${count(behind)} ${behind === 1 ? 'agent' : 'agents'} sent nothing of the last five minutes`)
}

function judgeDisk(storage: Status['storage']): Judged {
  const [free = 1, size = 1] = [storage?.free_bytes, storage?.disk_bytes]
  return free < FREE_SHARE_MIN * size ? late(`${bytesText(free)} of ${bytesText(size)} are free`) : OK
}
