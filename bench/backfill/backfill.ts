import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HOUR_MS, MINUTE_MS } from '../../schemas/time.ts'
import { startUp } from '../../test/heavy/up.ts'
import { budgetText } from '../budget.ts'
import { readTable } from '../lake/delta.ts'
import { serviceName } from '../lake/history.ts'
import { machine, mib, ms, thousands } from '../measure.ts'
import { bytesBelow, forkWith, messageOf, usageOf } from '../process.ts'
import { publishAll, UNSCHEDULED } from '../runs.ts'
import type { Backfilled, BackfillOptions } from './sender.ts'
import { type Watched, watchAnswers } from './watch.ts'

/**
 * A back-fill: hours of minutes of many services sent at once to a whole `tidemark up`, as by an agent that comes back with a full
 * spool: when answers hold it all, whether they say so truly until then, and what its ticks leave in the lake. Its own floor is when
 * the last message is acknowledged.
 */

const WHOLE_MS = { atMost: 1_000 }
const STALL_MS = { atMost: 50 }
const TICKS = { atMost: 1 }

export interface Backfill {
  readonly services: number
  readonly hours: number
  readonly sent: Backfilled
  readonly watched: Watched
  /** Of all files of ticks, those that runs have made superfluous included, and of the files that messages consist of. */
  readonly tickBytes: number
  readonly messageBytes: number
  readonly peakMib: number
}

/** `upArgs` are further flags of `tidemark up`. */
export async function benchBackfill(
  services: number,
  hours: number,
  upArgs: readonly string[] = [],
): Promise<Backfill> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  const minutes = hours * 60
  const startMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - minutes * MINUTE_MS
  try {
    const up = await startUp(dir, ['--agent-enabled', 'false', ...UNSCHEDULED, ...upArgs])
    try {
      const watch = watchAnswers({
        serving: up.serving,
        range: `from=${startMs}&to=${startMs + minutes * MINUTE_MS}`,
        services: Array.from({ length: services }, (_, n) => serviceName(n)),
        messagesEach: minutes,
      })
      const options: BackfillOptions = { port: up.collector.port, services, minutes, startMs }
      const sent = await messageOf<Backfilled>(forkWith(new URL('sender.ts', import.meta.url), options))
      watch.acked()
      const watched = await watch.done()
      // Then everything is committed, sealed and merged.
      await publishAll(up.serving)
      const { peakMib } = await usageOf(up.child.pid!)
      return { services, hours, sent, watched, peakMib, ...(await lakeBytes(join(dir, 'lake'))) }
    } finally {
      await up.end('SIGTERM')
    }
  } finally {
    await rm(dir, { recursive: true })
  }
}

async function lakeBytes(lake: string): Promise<Pick<Backfill, 'tickBytes' | 'messageBytes'>> {
  const ticks = (await readdir(lake)).filter((name) => name.endsWith('_ticks'))
  const bytes = await Promise.all(ticks.map((name) => bytesBelow(join(lake, name))))
  const messages = await readTable(join(lake, 'messages'))
  return {
    tickBytes: bytes.reduce((sum, each) => sum + each, 0),
    messageBytes: messages!.files.reduce((sum, file) => sum + file.bytes, 0),
  }
}

/** What the benchmark prints. */
export function backfillText(result: Backfill): string {
  const { services, hours, sent, watched, tickBytes, messageBytes, peakMib } = result
  const { wholeMs, untrue, fewest, queries, slowestMs, slowestHealthMs } = watched
  const kib = (bytes: number) => `${(bytes / 1_024).toLocaleString('en', { maximumFractionDigits: 0 })} KiB`
  const truth =
    fewest === null
      ? 'never said complete without being it'
      : `${untrue} said complete without being it (NOT as promised), one of them with ${fewest.held.toLocaleString('en')} of ${fewest.of.toLocaleString('en')} messages`
  return `back-fill of ${services} services × ${hours} hours, a message a minute: ${sent.messages.toLocaleString('en')} lines at once, on ${machine()}
  acknowledged               after ${ms(sent.ackedMs)}: ${thousands(sent.messages / (sent.ackedMs / 1_000))}
  an answer holds all        ${budgetText(wholeMs, WHOLE_MS, ms)} after that; it / acknowledged = ${(wholeMs / sent.ackedMs).toFixed(1)}
  answers asked a second after that   ${truth}
  queries                    ${queries}, the slowest ${ms(slowestMs)}; of /healthz ${budgetText(slowestHealthMs, STALL_MS, ms)}
  ticks                      ${kib(tickBytes)} beside ${kib(messageBytes)} of messages: ${budgetText(tickBytes / messageBytes, TICKS, (value) => value.toFixed(1))}
  resident memory            at most ${mib(peakMib)}`
}
