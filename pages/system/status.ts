import type { Gap } from '../api/types.ts'

/** What /v1/status says, as far as pages show it. A node that only serves answers knows of the others what their commits say. */
export interface Status {
  readonly time: string
  readonly agent?: Layer
  readonly collector: Elsewhere | Collector
  readonly log: Layer &
    Partial<{
      readonly partition: number
      readonly start: number
      readonly end: number
      readonly bytes: number
      readonly pending_bytes: number
      readonly unsealed_bytes: number
      readonly gaps: readonly Gap[]
      /** Up to where the lake names a log that other processes have. */
      readonly known_to: Position
    }>
  readonly lake: Layer & {
    readonly covered: Position
    readonly versions: { readonly [dataset: string]: number }
  }
  readonly speed: Speed | SpeedElsewhere
  readonly batch: Layer &
    Partial<{
      readonly active: RunState | null
      readonly next: string | null
      readonly last: Run | null
      readonly last_views: readonly Run[]
    }>
  readonly serving: Layer & {
    readonly views: readonly {
      readonly view: string
      readonly view_version: number | null
      readonly tidemark: Position
      readonly position: Position
      readonly ticks: number
      readonly keys: number
    }[]
  }
  readonly storage?: Layer & { readonly [bytes: string]: number }
  readonly stored: readonly { readonly dataset: string; readonly bytes: number }[]
}

/** A layer in other processes: `reason` says what tells of it. */
export interface Elsewhere extends Layer {
  readonly state: 'elsewhere'
}

export interface Collector extends Layer {
  /** Where senders connect. */
  readonly listen: string
  readonly accepted: number
  readonly repeats: number
  readonly refused: number
  readonly connections: number
  readonly messages_per_second: number
  readonly lost_by_agents: number
  readonly refusals: readonly { readonly code: string; readonly refused: number }[]
  readonly unkept_rejects: number
}

export interface Speed extends Layer {
  readonly chains: readonly {
    readonly view: string
    readonly definition: string
    readonly committed_to: number
    readonly read_to: number
    readonly open_cells: number
  }[]
}

/** Speed as its commits show it. */
export interface SpeedElsewhere extends Elsewhere {
  /** When it last had read all that the log held; null before it said so. */
  readonly at_log_end: string | null
  readonly late_after: string | null
}

/** Whether a layer runs in the process that answers. */
export const isHere = <T extends Layer>(layer: T): layer is Exclude<T, Elsewhere> =>
  layer.state !== 'elsewhere'

export type Position = { readonly [partition: string]: number }

/** A state of its own for each layer; the same word means the same in all. */
export interface Layer {
  readonly state: string
  readonly reason?: string | null
  readonly lag_blocks?: number
  readonly lag_ms?: number
}

export interface RunState {
  readonly run: string
  readonly full: boolean
  readonly started: string
  readonly stage: string | null
  readonly progress: { readonly done: number; readonly total: number } | null
}

export interface Run {
  readonly run: string
  readonly view: string
  readonly started: string
  readonly ended: string
  readonly result: string
  readonly error: string | null
  readonly full: boolean
  readonly engine: string
  readonly view_version: number | null
  readonly hours: number
  readonly rows: number
}

export interface Agent {
  readonly agent: string
  readonly names: readonly string[]
  readonly remote: string
  readonly version: string | null
  readonly connected: boolean
  readonly lag_ms: number | null
  readonly accepted: number
  readonly lost: number
}

export interface Agents {
  readonly agents: readonly Agent[]
  readonly total: number
}

export interface Refusal {
  readonly time: string
  readonly remote: string
  readonly agent: string | null
  readonly code: string
  readonly field: string | null
  readonly reason: string
}

/** The layers in the order in which data flows. */
export const LAYERS = ['agents', 'collector', 'log', 'lake', 'batch', 'speed', 'serving'] as const
export type LayerName = (typeof LAYERS)[number]
