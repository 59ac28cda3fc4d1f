import { type Act, openAudit } from '../../lake/audit.ts'
import { describeError } from '../../schemas/errors.ts'
import { userName } from '../host/user.ts'
import type { Settings } from '../settings/settings.ts'
import type { Host } from './host.ts'
import { lakeStore } from './lake-store.ts'

/** Records what a command of this machine's user did. Where it cannot, that is said: the act is done. */
export async function recordAct(
  { rows = null, ...act }: Pick<Act, 'what' | 'about'> & Partial<Pick<Act, 'rows'>>,
  settings: Settings,
  host: Omit<Host, 'logLine'>,
  say: (text: string) => void,
): Promise<void> {
  try {
    const { store } = lakeStore(settings, host)
    const who = `user ${userName()}`
    await openAudit({ ...host, store }).record({ ...act, who, rows, result: 'done' })
  } catch (error) {
    say(`It is done, and could not be recorded in the lake: ${describeError(error)}\n`)
  }
}
