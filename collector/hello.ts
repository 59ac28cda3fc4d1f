import { isName, parseObject, type Refusal } from '../schemas/line.ts'

export interface Hello {
  /** Null when it only shows a token: the connection goes on without numbers. */
  readonly agent: string | null
  readonly token: string | null
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
  const { hello, agent, token, lost } = json.fields
  const refuse = (field: string, reason: string): Refusal => ({ code: 'E_HELLO', field, reason, seq: null })
  if (hello !== 1) return refuse('hello', 'this collector speaks version 1: {"hello":1,"agent":"<id>"}')
  if (token !== undefined && typeof token !== 'string') return refuse('token', 'token must be text')
  if (agent === undefined && token !== undefined) return { agent: null, token, lost: 0 }
  if (!isName(agent)) return refuse('agent', 'agent must be 1 to 128 characters without control characters')
  return { agent, token: token ?? null, lost: Number.isSafeInteger(lost) ? Math.max(0, lost as number) : 0 }
}
