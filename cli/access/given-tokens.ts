import { TidemarkError } from '../../schemas/errors.ts'
import { hashToken, parseToken, ROLES, type TokenRecord } from '../../schemas/token.ts'
import type { Settings } from '../settings/settings.ts'

/**
 * The tokens that the settings give. Where a process is started anew from an image there is no file of tokens to keep, and several
 * processes share what their secrets say. Throws `E_CONFIG` for what is no token.
 */
export function givenTokens(settings: Settings): TokenRecord[] {
  return ROLES.flatMap((role) => {
    const field = `tokens.${role}` as const
    const tokens = settings.text(field).split(',')
    return tokens
      .filter((token) => token.trim() !== '')
      .map((token): TokenRecord => {
        const id = parseToken(token.trim())
        if (id === null)
          throw new TidemarkError(
            'E_CONFIG',
            `${field} has something that is no token: tmk_, 8 hexadecimal digits, _, 48 more`,
            { field },
          )
        return {
          id,
          role,
          name: `setting ${field}`,
          createdMs: 0,
          expiresMs: null,
          sha256: hashToken(token.trim()),
        }
      })
  })
}
