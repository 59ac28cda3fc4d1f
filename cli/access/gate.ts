import { TidemarkError } from '../../schemas/errors.ts'
import type { Closing } from '../compose/closing.ts'
import type { Host } from '../compose/host.ts'
import type { Settings } from '../settings/settings.ts'
import { refuseExposed } from './exposure.ts'
import { openTokens, type Tokens } from './tokens.ts'

/**
 * Who gets in, as the settings say. Throws `E_EXPOSED` when a layer would listen beyond this machine and no token exists,
 * `E_CONFIG`, `E_TOKEN_FILE`. Nothing is written.
 */
export async function openGate(settings: Settings, host: Host, closing: Closing): Promise<Tokens> {
  const rule = { insecure: settings.boolean('insecure'), loopback: settings.boolean('tokens.loopback') }
  if (rule.insecure && rule.loopback)
    throw new TidemarkError('E_CONFIG', 'insecure and tokens.loopback contradict each other', {
      field: 'insecure',
    })
  const tokens = await openTokens({ dataDir: settings.dataDir(), rule }, host)
  closing.add('tokens', () => tokens.close())
  if (!rule.insecure)
    refuseExposed(
      [
        {
          setting: 'collector.listen',
          address: settings.address('collector.listen'),
          roles: ['agent', 'admin'],
        },
        {
          setting: 'serving.listen',
          address: settings.address('serving.listen'),
          roles: ['viewer', 'admin'],
        },
      ],
      tokens.list(),
    )
  return tokens
}
