import type { Host } from '../host.ts'
import type { SharedOwnership } from '../log.ts'

/** A layer that runs in a process of its own. */
export interface Layer {
  /** What it says of itself when it has started, a line each: `agents connect  127.0.0.1:7070`. */
  readonly greeting: readonly (readonly [what: string, where: string])[]
  /** Its state and figures, for /metrics. */
  status(): Promise<object>
  /** Why it does not work; empty when it does. */
  reasons(): Promise<string[]>
}

/** What one part of a layer says of its state. */
export interface PartState {
  readonly state: string
  readonly reason: string | null
}

/** The state of a worker's part in the sharing of the log. */
export function groupState({ failing }: Pick<SharedOwnership, 'failing'>): PartState {
  return { state: failing === null ? 'ok' : 'failing', reason: failing }
}

/** Why parts do not work, by name. */
export function reasonsOf(parts: { readonly [name: string]: PartState }): string[] {
  return Object.entries(parts)
    .filter(([, { state }]) => !['ok', 'idle', 'running'].includes(state))
    .map(([name, { state, reason }]) => `${name}: ${reason ?? state}`)
}

/** What a layer has of its process. */
export interface LayerHost extends Host {
  /** Called when this process must stop. */
  failed(error: Error): void
}
