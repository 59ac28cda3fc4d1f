import { isName, nameFault } from '../../schemas/name.ts'
import { shown } from '../../schemas/shown.ts'
import { LOST_SAMPLES_MAX } from '../intake/limits.ts'
import type { AboutAgent } from '../intake/seen-agents.ts'
import { parseObject } from './json-object.ts'
import type { Refusal } from './refusals.ts'

export interface Hello extends AboutAgent {
  /** The sender's id; null when the connection goes on without numbers. */
  readonly agent: string | null
  readonly token: string | null
  /** The dataset of lines that name none; null: the usual one. */
  readonly dataset: string | null
  /** What the sender's clock shows, milliseconds since 1970; null where it does not say. */
  readonly timeMs: number | null
}

/**
 * Parses a hello. Returns a refusal when it is one and wrong, null when the line is no hello: one with a service is a
 * message, whose other fields may have any name.
 */
export function parseHello(line: Uint8Array): Hello | Refusal | null {
  const json = parseObject(line)
  if ('code' in json || json.fields.hello === undefined || json.fields.service !== undefined) return null
  const { hello, agent, token, lost, dataset, version, scope, time } = json.fields
  const refuse = (field: string, reason: string): Refusal => ({ code: 'E_HELLO', field, reason, seq: null })
  if (hello !== 1) return refuse('hello', 'this collector speaks version 1: {"hello":1,"agent":"<id>"}')
  if (token !== undefined && typeof token !== 'string') return refuse('token', 'token must be text')
  if (dataset !== undefined && typeof dataset !== 'string')
    return refuse('dataset', 'dataset must be the name of a dataset')
  const of = {
    dataset: dataset ?? null,
    version: told(version),
    scope: told(scope),
    timeMs: typeof time === 'number' ? time : null,
  }
  if (agent === undefined && (token !== undefined || dataset !== undefined))
    return { ...of, agent: null, token: token ?? null, lost: 0 }
  const fault = nameFault(agent)
  if (fault !== null) return refuse('agent', `agent ${fault}, not ${shown(agent)}`)
  return { ...of, agent: agent as string, token: token ?? null, lost: lostSamples(lost) }
}

/** What is no name is as if it were not said. */
const told = (value: unknown) => (isName(value) ? value : null)

/** Returns how many lost samples are believed; what is no whole number is not. */
function lostSamples(lost: unknown): number {
  return Number.isInteger(lost) ? Math.min(LOST_SAMPLES_MAX, Math.max(0, lost as number)) : 0
}
