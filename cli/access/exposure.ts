import { TidemarkError } from '../../schemas/errors.ts'
import { isLoopback } from '../../schemas/loopback.ts'
import type { Role, TokenRecord } from '../../schemas/token.ts'
import { type Address, formatAddress } from '../settings/values.ts'

/** A listener that others than this machine might reach. */
export interface Listening {
  readonly setting: string
  readonly address: Address
  /** The roles that its peers have a use for. */
  readonly roles: readonly Role[]
}

/** Refuses to listen beyond this machine where no token could ever be right. Throws `E_EXPOSED`, naming the fix. */
export function refuseExposed(listening: readonly Listening[], tokens: readonly TokenRecord[]): void {
  for (const { setting, address, roles } of listening) {
    if (isLoopback(address.host) || tokens.some(({ role }) => roles.includes(role))) continue
    const one = roles.join(' or ')
    throw new TidemarkError(
      'E_EXPOSED',
      `${setting} is ${formatAddress(address)}, which others than this machine can reach, and there is no token of role ${one}`,
      { field: setting },
    )
  }
}
