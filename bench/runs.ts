import { setTimeout as wait } from 'node:timers/promises'

/** Flags of a `tidemark up` that starts no run by itself within any benchmark. */
export const UNSCHEDULED = ['--batch-schedule', '0 0 1 1 *']

/** A run as its starter saw it. */
export interface RunSeen {
  readonly ms: number
  /** `published`, or what else its record says; several views' results with commas between. */
  readonly result: string
}

/** Of `GET /v1/runs/{run}`: a record, or the records of all views. */
interface Answer {
  readonly state?: string
  readonly result?: string
  readonly title?: string
  readonly records?: readonly { readonly result: string }[]
}

/** A run that goes on is asked for so often. */
const POLL_MS = 20

/** Starts a run and follows it to its end, whether the request itself waits for that (200) or not (202). */
export async function runNow(serving: string, body: { readonly full?: boolean } = {}): Promise<RunSeen> {
  const beforeMs = performance.now()
  const answer = await fetch(`${serving}/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const first = (await answer.json()) as Answer
  const ended = answer.status === 202 ? await endOf(new URL(answer.headers.get('location')!, serving)) : first
  const result = resultOf(ended) ?? first.title ?? `status ${answer.status}`
  return { ms: performance.now() - beforeMs, result }
}

async function endOf(run: URL): Promise<Answer> {
  for (;;) {
    const state = (await (await fetch(run)).json()) as Answer
    if (state.state === undefined ? resultOf(state) !== undefined : state.state !== 'running') return state
    await wait(POLL_MS)
  }
}

function resultOf({ records, result }: Answer): string | undefined {
  if (records === undefined || records.length === 0) return result
  return [...new Set(records.map((record) => record.result))].join(', ')
}

/** Starts a run every so often, the next one after the last has ended, until stopped. */
export function keepRunning(serving: string, everyMs: number) {
  const runs: RunSeen[] = []
  const stopping = new AbortController()
  const running = (async () => {
    while (!stopping.signal.aborted) {
      const run = await runNow(serving)
      runs.push(run)
      await wait(Math.max(0, everyMs - run.ms), null, { signal: stopping.signal }).catch(() => {})
    }
  })()
  return {
    /** Waits for the run that is going on. */
    async stop(): Promise<readonly RunSeen[]> {
      stopping.abort()
      await running
      return runs
    },
  }
}

/** Of `GET /v1/status`. */
interface Status {
  readonly log: { readonly partition: number; readonly end: number }
  readonly serving: { readonly tidemark: { readonly [partition: string]: number } }
}

const PUBLISHED_MS_MAX = 120_000

/** Runs until everything in the log is below the tidemark. Throws when it is not within two minutes. */
export async function publishAll(serving: string): Promise<void> {
  const untilMs = Date.now() + PUBLISHED_MS_MAX
  while (Date.now() < untilMs) {
    await runNow(serving)
    const { log, serving: index } = (await (await fetch(`${serving}/v1/status`)).json()) as Status
    if (index.tidemark[log.partition] === log.end) return
    await wait(200)
  }
  throw new Error('two minutes of runs did not bring the tidemark to the end of the log')
}
