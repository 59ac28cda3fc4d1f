import { describeError } from '../../schemas/errors.ts'
import { sleep } from '../../schemas/ports/clock.ts'
import { ALL_SETTINGS, type Args, type Command, type Io, logLineTo } from '../command.ts'
import { Closing } from '../compose/closing.ts'
import { warnOfShortRetention } from '../compose/short-retention.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeRandom } from '../host/random.ts'
import { VERSION } from '../version.ts'

export const up: Command = {
  name: 'up',
  summary: 'Run everything in one process: collector, lake, batch, speed, pages and an agent',
  flags: [],
  settings: ALL_SETTINGS,
  example: 'tidemark up --data ./data --serving-listen 127.0.0.1:8080',
  run,
}

/** A stop that takes longer is cut off; everything acknowledged is durable already. */
const STOP_MS_MAX = 4_500

async function run({ settings }: Args, io: Io): Promise<number> {
  const clock = nodeClock()
  const logLine = logLineTo(io, () => clock.nowMs())
  const closing = new Closing(logLine)
  const failure = Promise.withResolvers<number>()
  /** The exit code, once there is a reason to stop. */
  const stopped = Promise.race([io.stopped.then(() => 0), failure.promise])
  const failed = (error: Error) => {
    logLine(describeError(error))
    failure.resolve(1)
  }
  const stopping = new AbortController()
  void stopped.then(() => stopping.abort())
  const { signal } = stopping
  const host = { disk: nodeDisk(), clock, random: nodeRandom(), logLine, failed, signal }
  warnOfShortRetention(settings, logLine)
  // The layers are loaded only where they run: the agent's command does without them.
  const { startEmbedded } = await import('../compose/embedded.ts')
  const { startWithRoom } = await import('../compose/waiting.ts')
  const start = () => startEmbedded(settings, host, closing)
  const starting = startWithRoom(settings, host, closing, stopped, start)
  let code: number
  try {
    const begun = await Promise.race([starting, stopped])
    if (typeof begun === 'object' && begun !== null)
      io.out(greeting(begun.serving, begun.collector, settings.dataDir()))
    code = await stopped
  } catch (error) {
    await closing.close()
    throw error
  }
  return (await stop()) ? code : 1

  async function stop(): Promise<boolean> {
    const late = sleep(clock, STOP_MS_MAX).then(() => {
      logLine(`${closing.current() ?? 'the start'} takes too long to close; stopping without it`)
      return false
    })
    // Asked to stop while starting: what is not started yet is closed as soon as it is.
    const closed = starting.catch(() => {}).then(() => closing.close())
    return await Promise.race([closed, late])
  }
}

function greeting(serving: string, collector: string, data: string): string {
  return [
    `Tidemark ${VERSION} is up; Ctrl-C stops it.`,
    `  pages and API   ${serving}`,
    `  agents connect  ${collector}`,
    `  data            ${data}`,
    '',
  ].join('\n')
}
