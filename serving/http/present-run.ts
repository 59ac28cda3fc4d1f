import type { Amount, RunRecord, RunState } from '../../schemas/ports/layers.ts'
import { iso } from './present.ts'

/** A view's part of a run as the API shows it. */
export interface PresentedRun {
  readonly run: string
  readonly view: string
  readonly started: string
  readonly ended: string
  readonly result: RunRecord['result']
  readonly error: string | null
  readonly full: boolean
  readonly engine: string
  readonly definition: string
  readonly messages_version: number
  readonly view_version: number | null
  readonly tidemark: { readonly [partition: number]: number }
  readonly hours: number
  readonly files: number
  readonly rows: number
  readonly stages: RunRecord['stages']
  readonly report: string | null
}

export function presentRun(record: RunRecord): PresentedRun {
  const { startedMs, endedMs, messagesVersion, viewVersion, ...same } = record
  return {
    ...same,
    started: iso(startedMs),
    ended: iso(endedMs),
    messages_version: messagesVersion,
    view_version: viewVersion,
  }
}

/** The inverse, for commands that ask a running process. */
export function parseRun(presented: PresentedRun): RunRecord {
  const { started, ended, messages_version, view_version, ...same } = presented
  return {
    ...same,
    startedMs: Date.parse(started),
    endedMs: Date.parse(ended),
    messagesVersion: messages_version,
    viewVersion: view_version,
  }
}

/** A run as a whole as the API shows it. */
export interface PresentedState {
  readonly run: string
  readonly state: RunState['state']
  readonly full: boolean
  readonly started: string
  /** Null while it goes on. */
  readonly ended: string | null
  readonly stage: RunState['stage']
  readonly progress: { readonly done: number; readonly total: number } | null
  /** The worst of its views' results; null while it goes on. */
  readonly result: RunRecord['result'] | null
  readonly error: string | null
  readonly views: readonly PresentedRun[]
}

/** What the views of a run read of the lake and wrote to it, as far as their stages are recorded. */
export function amountsOf(records: readonly RunRecord[]): {
  readonly read: Amount
  readonly written: Amount
} {
  const read = { files: 0, rows: 0, bytes: 0 }
  const written = { files: 0, rows: 0, bytes: 0 }
  const add = (to: typeof read, { files, rows, bytes }: Amount) => {
    to.files += files
    to.rows += rows
    to.bytes += bytes
  }
  for (const { stage, inputs } of records.flatMap(({ stages }) => stages))
    if (stage !== 'plan') add(stage === 'publish' ? written : read, inputs)
  return { read, written }
}

/** Results from the worst to the best: what a run as a whole is called by. */
const WORST_FIRST = ['failed', 'cancelled', 'lost_race', 'published', 'nothing_new'] as const

/** What a run as a whole came to. */
export function resultOf(records: readonly RunRecord[]): RunRecord['result'] {
  return WORST_FIRST.find((result) => records.some((record) => record.result === result)) ?? 'nothing_new'
}

export function presentState({
  run,
  state,
  full,
  startedMs,
  stage,
  progress,
  records,
}: RunState): PresentedState {
  const ended = state === 'ended'
  return {
    run,
    state,
    full,
    started: iso(startedMs),
    ended: ended ? iso(Math.max(...records.map(({ endedMs }) => endedMs))) : null,
    stage,
    progress,
    result: ended ? resultOf(records) : null,
    error: records.find(({ error }) => error !== null)?.error ?? null,
    views: records.map(presentRun),
  }
}
