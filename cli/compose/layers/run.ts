import { describeError, isError, TidemarkError } from '../../../schemas/errors.ts'
import { sleep } from '../../../schemas/ports/clock.ts'
import type { Settings } from '../../settings/settings.ts'
import { Closing } from '../closing.ts'
import { startHealth } from '../health.ts'
import { hiddenPaths } from '../hidden-paths.ts'
import type { Host } from '../host.ts'
import type { Layer, LayerHost } from './layer.ts'

/** How often a start is tried again while what the layer needs is out of reach. */
const AGAIN_MS = 2_000
/** A stop that takes longer is cut off; everything acknowledged is durable already. */
const STOP_MS_MAX = 8_000

export interface LayerRun {
  readonly settings: Settings
  /** Starts the layer; what it started is in `closing`, also when it throws. */
  start(host: LayerHost, closing: Closing): Promise<Layer>
  /** Told once, when the layer has started, with where its health is told. */
  started(layer: Layer, health: string): void
  /** Resolves when the process is to stop. */
  readonly stopped: Promise<void>
}

/**
 * Runs a layer until it is to stop. While the lake or the log is out of reach it waits for them: whatever order processes start
 * in, all come up. It waits as well while a table is damaged, and says so. Resolves with the exit code; throws what trying again cannot mend.
 */
export async function runLayer(run: LayerRun, host: Host): Promise<number> {
  const { clock, logLine } = host
  const hidePaths = hiddenPaths(run.settings)
  const failure = Promise.withResolvers<number>()
  const failed = (error: Error) => {
    logLine(describeError(error))
    failure.resolve(1)
  }
  const enough = new AbortController()
  const end = Promise.race([run.stopped.then(() => 0), failure.promise])
  void end.then(() => enough.abort())
  let layer: Layer | null = null
  let waiting = 'start: it is starting'
  const health = await startHealth(run.settings.address('health.listen'), {
    reasons: async () => (layer === null ? [waiting] : (await layer.reasons()).map(hidePaths)),
    status: async () => (await layer?.status()) ?? null,
  })
  const closing = new Closing(logLine)
  try {
    while (layer === null && !enough.signal.aborted) {
      try {
        layer = await run.start({ ...host, failed }, closing)
        run.started(layer, health.url)
      } catch (error) {
        await closing.close()
        if (!(error instanceof TidemarkError)) throw error
        // Somebody mends it while this process says what is to be done: ending it would hide that behind starts that fail.
        const isDamaged = isError(error, 'E_TABLE_DAMAGED')
        if (!error.retryable && !isDamaged) throw error
        const todo = isDamaged ? `: ${error.hint}` : ''
        const reason = `start: ${hidePaths(describeError(error))}${todo}`
        if (reason !== waiting) logLine(`${reason}; trying again every ${AGAIN_MS / 1_000} s`)
        waiting = reason
        await sleep(clock, AGAIN_MS, enough.signal)
      }
    }
    const code = await end
    return (await closedInTime()) ? code : 1
  } finally {
    await health.close()
  }

  async function closedInTime(): Promise<boolean> {
    const done = new AbortController()
    const late = sleep(clock, STOP_MS_MAX, done.signal).then(() => {
      if (!done.signal.aborted) logLine(`${closing.current()} takes too long to close; stopping without it`)
      return false
    })
    const closed = closing.close().then((well) => {
      done.abort()
      return well
    })
    return Promise.race([closed, late])
  }
}
