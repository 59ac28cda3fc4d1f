import { TidemarkError } from '../../schemas/errors.ts'
import type { Closing } from '../compose/closing.ts'
import type { Host } from '../compose/host.ts'
import type { Settings } from '../settings/settings.ts'
import { refuseExposed } from './exposure.ts'
import { givenTokens } from './given-tokens.ts'
import { openTokens, type Tokens } from './tokens.ts'

/** The roles that have a use for what listens. */
const ROLES = {
  'collector.listen': ['agent', 'admin'],
  'serving.listen': ['viewer', 'admin'],
} as const

type ListenSetting = keyof typeof ROLES

/**
 * Who gets in, as the settings say. Throws `E_EXPOSED` when a layer would listen beyond this machine and no token exists,
 * `E_CONFIG`, `E_TOKEN_FILE`. Nothing is written.
 */
export async function openGate(
  settings: Settings,
  host: Host,
  closing: Closing,
  listening: readonly ListenSetting[] = ['collector.listen', 'serving.listen'],
): Promise<Tokens> {
  const rule = { insecure: settings.boolean('insecure'), loopback: settings.boolean('tokens.loopback') }
  if (rule.insecure && rule.loopback)
    throw new TidemarkError('E_CONFIG', 'insecure and tokens.loopback contradict each other', {
      field: 'insecure',
    })
  const tokens = await openTokens({ dataDir: settings.dataDir(), rule, given: givenTokens(settings) }, host)
  closing.add('tokens', () => tokens.close())
  if (!rule.insecure)
    refuseExposed(
      listening.map((setting) => ({ setting, address: settings.address(setting), roles: ROLES[setting] })),
      tokens.list(),
    )
  return tokens
}
