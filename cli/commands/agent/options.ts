import { hostname } from 'node:os'
import type { ScopeWanted } from '../../../agent/gauges/host-gauges.ts'
import { SPOOL_BYTES_MIN } from '../../../agent/spool/spool.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { isName } from '../../../schemas/name.ts'
import type { Args } from '../../command.ts'
import { parseScope } from '../../settings/scope.ts'
import { type Address, parseDuration, parseSize } from '../../settings/values.ts'
import { collectorAddress } from '../collector-flag.ts'

/** What the flags of the agent say, checked. */
export interface AgentOptions {
  readonly address: Address
  readonly service: string
  readonly hostName: string
  readonly intervalMs: number
  readonly scope: ScopeWanted
  /** As it was given. */
  readonly spoolDir: string | undefined
  readonly spoolBytesMax: number | undefined
}

/** Throws `E_USAGE`. */
export function agentOptions(flags: Args['flags'], call: string): AgentOptions {
  const { service, spool } = flags
  if (service === undefined) throw wrong(`${call} needs --service NAME`)
  const hostName = flags.host ?? hostname()
  for (const [flag, name] of Object.entries({ service, host: hostName })) {
    if (!isName(name)) throw wrong(`--${flag} must be 1 to 128 characters without control characters`)
  }
  const intervalMs = parseDuration(flags.interval ?? '1s')
  if (intervalMs === null) throw wrong('--interval must be a duration like 1s')
  const scope = parseScope(flags.scope ?? 'auto')
  if (scope === null) throw wrong('--scope must be auto, host or container')
  return {
    address: collectorAddress(flags),
    service,
    hostName,
    intervalMs,
    scope,
    spoolDir: spool,
    spoolBytesMax: spoolBytesMax(flags['spool-max']),
  }
}

function spoolBytesMax(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const bytes = parseSize(text)
  if (bytes === null || bytes < SPOOL_BYTES_MIN)
    throw wrong(`--spool-max must be a size like 256MiB, at least ${SPOOL_BYTES_MIN >> 10}KiB`)
  return bytes
}

function wrong(message: string): TidemarkError {
  return new TidemarkError('E_USAGE', message)
}
