import { isName } from '../../schemas/name.ts'
import { parseObject, type Refusal } from './message-line.ts'

export interface Hello {
  /** Null when it only shows a token: the connection goes on without numbers. */
  readonly agent: string | null
  readonly token: string | null
  /** The dataset of lines that name none; null: the usual one. */
  readonly dataset: string | null
  /** Samples that the agent lost since it last said so. */
  readonly lost: number
}

/**
 * What a hello says; a refusal when it is one and wrong; null when the line is no hello. A line with a service is
 * a message, whose other fields may have any name.
 */
export function parseHello(line: Uint8Array): Hello | Refusal | null {
  const json = parseObject(line)
  if ('code' in json || json.fields.hello === undefined || json.fields.service !== undefined) return null
  const { hello, agent, token, lost, dataset } = json.fields
  const refuse = (field: string, reason: string): Refusal => ({ code: 'E_HELLO', field, reason, seq: null })
  if (hello !== 1) return refuse('hello', 'this collector speaks version 1: {"hello":1,"agent":"<id>"}')
  if (token !== undefined && typeof token !== 'string') return refuse('token', 'token must be text')
  if (dataset !== undefined && typeof dataset !== 'string')
    return refuse('dataset', 'dataset must be the name of a dataset')
  const of = { dataset: dataset ?? null }
  if (agent === undefined && (token !== undefined || dataset !== undefined))
    return { ...of, agent: null, token: token ?? null, lost: 0 }
  if (!isName(agent)) return refuse('agent', 'agent must be 1 to 128 characters without control characters')
  const lostSamples = Number.isSafeInteger(lost) ? Math.max(0, lost as number) : 0
  return { ...of, agent, token: token ?? null, lost: lostSamples }
}
