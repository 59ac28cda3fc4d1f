import { resolve } from 'node:path'
import { TidemarkError } from '../../schemas/errors.ts'
import { isLoopback } from '../../schemas/loopback.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { Net } from '../../schemas/ports/net.ts'
import { TOKEN_VARIABLE } from '../access/token-variable.ts'
import type { Args, Flag, Io } from '../command.ts'
import { nodeNet } from '../host/net.ts'
import type { Address } from '../settings/values.ts'
import { collectorAddress } from './collector-flag.ts'

/** The flags of commands that may reach a collector on another machine. */
export const REACH_FLAGS: readonly Flag[] = [
  { name: 'tls', about: "Connect with TLS, trusting the system's CAs" },
  { name: 'ca', value: 'FILE', about: 'Connect with TLS, trusting the CA of this PEM file' },
  {
    name: 'token-file',
    value: 'FILE',
    about: `File that holds the access token; or the variable ${TOKEN_VARIABLE} (none)`,
  },
]

/** How a command reaches its collector. */
export interface Reach {
  readonly address: Address
  readonly net: Net
  token?(): Promise<string>
}

/** Throws `E_USAGE`, `E_CERTIFICATE`. */
export async function reachOf(
  flags: Args['flags'],
  io: Pick<Io, 'env' | 'cwd'>,
  { disk, logLine }: { disk: Disk; logLine(line: string): void },
): Promise<Reach> {
  const address = collectorAddress(flags)
  const { ca } = flags
  const isTls = flags.tls !== undefined || ca !== undefined
  const trusted =
    ca === undefined
      ? ({ trust: 'system' } as const)
      : ({ trust: 'ca', ca: await caOf(disk, resolve(io.cwd, ca)) } as const)
  const token = tokenOf(flags, io, disk)
  if (token !== undefined && !isTls && !isLoopback(address.host))
    logLine('agent: the access token travels unencrypted; --tls or --ca FILE would hide it')
  return { address, net: nodeNet(isTls ? { connectTls: trusted } : {}), ...(token && { token }) }
}

/** Loaded where it is wanted: it brings the whole of Node's cryptography. */
async function caOf(disk: Disk, path: string): Promise<Buffer> {
  const { readCa } = await import('../access/certificate.ts')
  return await readCa(disk, path)
}

/** Read at each connection: a file may be replaced. */
function tokenOf(
  flags: Args['flags'],
  io: Pick<Io, 'env' | 'cwd'>,
  disk: Disk,
): (() => Promise<string>) | undefined {
  const file = flags['token-file']
  const variable = io.env[TOKEN_VARIABLE]
  if (file === undefined) return variable ? async () => variable.trim() : undefined
  const path = resolve(io.cwd, file)
  return async () => {
    const bytes = await disk.readFile(path)
    const token = bytes === null ? '' : new TextDecoder().decode(bytes).trim()
    if (token === '') throw new TidemarkError('E_TOKEN', `${path} holds no access token`)
    return token
  }
}
