import { SCOPES, type ScopeWanted } from '../../agent/gauges/host-gauges.ts'

/** Returns the scope in a flag or a setting; null when it is none. */
export function parseScope(text: string): ScopeWanted | null {
  return SCOPES.find((scope) => scope === text) ?? null
}
