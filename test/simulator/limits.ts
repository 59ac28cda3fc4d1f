import {
  PENDING_BYTES_MAX,
  REFUSED_CONNECTIONS_MAX,
  REJECTS_BYTES_MAX,
} from '../../collector/intake/limits.ts'
import {
  UNREAD_BYTES_MAX,
  UNSETTLED_LINES_MAX,
  UNSETTLED_REFUSALS_MAX,
} from '../../collector/ndjson/line-limits.ts'
import { CHUNK_BYTES_MAX } from '../sim/net.ts'
import type { Flood } from './flood.ts'
import type { Simulation } from './simulation.ts'
import { CONNECTIONS_MAX, REJECTS_DIR } from './site.ts'

/** Timers that wait at once: far above what the layers and all connections need. */
const TIMERS_MAX = 400 + CONNECTIONS_MAX + REFUSED_CONNECTIONS_MAX
/** The limits are looked at once in so many bytes of a sender who may send good lines. */
const PART_BYTES = 8_192
/** No answer to a line is longer. */
const ANSWER_BYTES_MAX = 400

/** What the collector holds stays within the named maxima, as far as that shows from outside. */
export function checkLimits(sim: Simulation): void {
  const { clock, parts, net } = sim.world
  within('timers', clock.pending - net.underWay, TIMERS_MAX)
  within('bytes that wait to be durable', parts?.journal.pendingBytes() ?? 0, PENDING_BYTES_MAX)
  within('connections', net.served, CONNECTIONS_MAX + REFUSED_CONNECTIONS_MAX)
  const floods = sim.fleet.crowd.floods.filter(({ open }) => open)
  let waitingBytes = 0
  for (const flood of floods) {
    // A chunk arrives as a whole.
    const linesMax =
      (flood.refused
        ? UNSETTLED_REFUSALS_MAX + Math.ceil(PART_BYTES / flood.lineBytes)
        : UNSETTLED_LINES_MAX) +
      Math.ceil(CHUNK_BYTES_MAX / flood.lineBytes) +
      1
    within('unread answers', flood.unreadBytes, UNREAD_BYTES_MAX + linesMax * ANSWER_BYTES_MAX)
    if (flood.unreadBytes > 0) continue
    within('unsettled lines', flood.unsettled, linesMax)
    waitingBytes += flood.unsettled * flood.lineBytes
  }
  within('bytes of lines that wait', waitingBytes, PENDING_BYTES_MAX + slackBytes(floods))
  checkRejects(sim)
}

function slackBytes(floods: readonly Flood[]): number {
  return floods.reduce((sum, { lineBytes }) => sum + CHUNK_BYTES_MAX + lineBytes, 0)
}

/** Whoever is told that a line is refused can find it, unless the collector says that it could not keep it. */
function checkRejects(sim: Simulation): void {
  const { disk, parts, unkeptRejects } = sim.world
  let bytes = 0
  let kept = 0
  for (const path of disk.paths()) {
    if (!path.startsWith(`${REJECTS_DIR}/`)) continue
    const file = disk.bytesOf(path)
    bytes += file.length
    kept += linesIn(file)
  }
  within('bytes of refused lines', bytes, REJECTS_BYTES_MAX)
  const unkept = unkeptRejects + (parts?.collector.status().unkeptRejects ?? 0)
  const told = sim.fleet.errorsTold()
  if (told > kept + unkept)
    throw new Error(`${told} refusals were told, ${kept} lines are kept and ${unkept} are not`)
}

const counted = new WeakMap<Uint8Array, number>()

function linesIn(file: Uint8Array): number {
  let lines = counted.get(file)
  if (lines === undefined) {
    lines = 0
    for (let at = file.indexOf(0x0a); at >= 0; at = file.indexOf(0x0a, at + 1)) lines += 1
    counted.set(file, lines)
  }
  return lines
}

function within(what: string, value: number, max: number): void {
  if (value > max) throw new Error(`${value} ${what}, at most ${max}`)
}
