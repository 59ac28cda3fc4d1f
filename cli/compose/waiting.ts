import { join } from 'node:path'
import { describeError, isCausedBy, isError, type TidemarkError } from '../../schemas/errors.ts'
import { sleep } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { startWaitingHttp } from '../../serving/http/waiting.ts'
import { certificateOf } from '../access/certificate.ts'
import type { Settings } from '../settings/settings.ts'
import type { Addresses } from './addresses.ts'
import type { Closing } from './closing.ts'
import { hiddenPaths } from './hidden-paths.ts'
import type { Host } from './host.ts'

/** How often a full disk is looked at again. */
const LOOK_MS = 1_000
/** With so much room a start is worth a try: what a journal, an index and a commit need at first. */
const ROOM_BYTES = 4 << 20

/**
 * Starts the layers by `start`, as soon as the disk has room for it. Until then only `/healthz` and `/readyz` answer, the latter with
 * the reason. Resolves with null when `stopped` came first. What was started is in `closing`, also when it throws what `start` throws.
 */
export async function startWithRoom(
  settings: Settings,
  host: Host,
  closing: Closing,
  stopped: Promise<unknown>,
  start: () => Promise<Addresses>,
): Promise<Addresses | null> {
  let isStopped = false
  void stopped.then(() => {
    isStopped = true
  })
  for (;;) {
    try {
      return await start()
    } catch (error) {
      if (!isCausedBy(error, 'E_DISK_FULL')) throw error
      await closing.close()
      await waitForRoom(settings, host, closing, error, () => isStopped)
      if (isStopped) return null
    }
  }
}

async function waitForRoom(
  settings: Settings,
  { disk, clock, logLine }: Host,
  closing: Closing,
  error: TidemarkError,
  isStopped: () => boolean,
): Promise<void> {
  const tls = await certificateOf('serving', settings, disk)
  const http = await startWaitingHttp(
    { ...settings.address('serving.listen'), tls },
    `start: ${hiddenPaths(settings)(describeError(error))}`,
  )
  closing.add('http', () => http.close())
  logLine(`${describeError(error)}: nothing is started until there is room; ${http.url}/readyz says when`)
  while (!isStopped() && !(await hasRoom(disk, settings.dataDir()))) await sleep(clock, LOOK_MS)
  if (isStopped()) return
  logLine('there is room on the disk; starting')
  await closing.close()
}

/** Whether a file of `ROOM_BYTES` can be written in `dir`. Throws `E_DISK`. */
async function hasRoom(disk: Disk, dir: string): Promise<boolean> {
  const path = join(dir, 'room')
  try {
    await disk.makeDir(dir)
    const file = await disk.open(path, { create: true })
    try {
      await file.write(0, new Uint8Array(ROOM_BYTES))
      await file.sync()
      return true
    } finally {
      await file.close()
      await disk.remove(path)
    }
  } catch (error) {
    if (isError(error, 'E_DISK_FULL')) return false
    throw error
  }
}
