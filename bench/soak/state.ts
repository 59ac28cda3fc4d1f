import { usageOf } from '../process.ts'

const SAMPLE_MS = 1_000

/** How a `tidemark up` is, at one moment. */
export interface State {
  readonly residentMib: number
  /** Blocks of the log that the table of messages lacks. */
  readonly sealLagBlocks: number
  /** Since the speed layer last committed. */
  readonly tickAgeMs: number
}

/** Of `GET /v1/status`. */
interface Status {
  readonly lake: { readonly lag_blocks: number }
  readonly speed: { readonly chains: readonly { readonly committed_to: number }[] }
}

/** Looks at a `tidemark up` each second, until closed. `take` hands over what was seen since the last `take`. */
export function watchState(serving: string, pid: number) {
  const states: State[] = []
  let committedTo = -1
  let committedMs = performance.now()
  const look = async () => {
    const status = (await (await fetch(`${serving}/v1/status`)).json()) as Status
    const { residentMib } = await usageOf(pid)
    const nowMs = performance.now()
    const newest = status.speed.chains[0]?.committed_to ?? -1
    if (newest !== committedTo) [committedTo, committedMs] = [newest, nowMs]
    states.push({ residentMib, sealLagBlocks: status.lake.lag_blocks, tickAgeMs: nowMs - committedMs })
  }
  // One that fails is one sample less; the next tells.
  const timer = setInterval(() => void look().catch(() => {}), SAMPLE_MS)
  return {
    take: () => states.splice(0),
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
