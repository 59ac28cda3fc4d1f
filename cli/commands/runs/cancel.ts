import { TidemarkError } from '../../../schemas/errors.ts'
import type { Args, Io } from '../../command.ts'
import { nodeDisk } from '../../host/disk.ts'
import { askRunning } from '../ask.ts'

const ANSWER_MS_MAX = 30_000

/** `tidemark runs cancel [RUN]`: the run of the `up` that holds the data directory, by default whichever is going on. */
export async function cancelCommand({ operands, settings }: Args, io: Io): Promise<number> {
  const [, named, ...more] = operands
  if (more.length > 0)
    throw new TidemarkError('E_USAGE', 'name one run to cancel, or none for the one going on')
  const ask = (path: string, method: 'GET' | 'DELETE') =>
    askRunning(nodeDisk(), settings.dataDir(), path, { method, timeoutMs: ANSWER_MS_MAX })
  const status = (await ask('/v1/status', 'GET')) as { batch?: { active: { run: string } | null } } | null
  if (status === null)
    throw new TidemarkError(
      'E_CONNECT',
      `no tidemark up runs on ${settings.dataDir()}; a run that was started there by a command ends with Ctrl-C`,
    )
  const run = named ?? status.batch?.active?.run
  if (run === undefined)
    throw new TidemarkError('E_RUN_ENDED', 'no run is going on', { hint: 'see tidemark runs' })
  await ask(`/v1/runs/${encodeURIComponent(run)}`, 'DELETE')
  io.out(`run ${run} is cancelled; views that it had published stay so\n`)
  return 0
}
