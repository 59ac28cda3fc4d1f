import { TidemarkError } from '../../schemas/errors.ts'
import type { Args, Flag } from '../command.ts'
import { type Address, parseAddress } from '../settings/values.ts'

const DEFAULT = '127.0.0.1:7070'

/** The flag of commands that send to a collector. */
export const COLLECTOR_FLAG: Flag = {
  name: 'collector',
  value: 'HOST:PORT',
  about: `Where the collector listens (${DEFAULT})`,
}

/** Its value. Throws `E_USAGE`. */
export function collectorAddress(flags: Args['flags']): Address {
  const address = parseAddress(flags.collector ?? DEFAULT)
  if (address === null) throw new TidemarkError('E_USAGE', `--collector must be an address like ${DEFAULT}`)
  return address
}
