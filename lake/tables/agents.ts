import { AGENT_KEPT_MS, type AgentState } from '../../log/senders.ts'
import { describeError, isError } from '../../schemas/errors.ts'
import { DAY_MS } from '../../schemas/time.ts'
import type { Table } from '../delta/port.ts'
import { decodeParquet } from '../parquet/codec.ts'
import { coveredMs, coveredPosition } from './messages.ts'

/**
 * Highest seq of every agent among the sealed messages: what a journal that begins anew must know, so that what an agent
 * sends again is not counted again. Reads every file written within the last `AGENT_KEPT_MS`, which is slow and seldom needed; one
 * that cannot be read is said and left out.
 */
export async function agentsInLake(
  tables: readonly Table[],
  logLine: (line: string) => void,
): Promise<Map<string, AgentState>> {
  const agents = new Map<string, AgentState>()
  for (const table of tables) await addAgents(agents, table, logLine)
  return agents
}

async function addAgents(
  agents: Map<string, AgentState>,
  messages: Table,
  logLine: (line: string) => void,
): Promise<void> {
  const snapshot = await messages.snapshot()
  if (snapshot === null) return
  const lastMs = Math.max(
    0,
    ...Object.keys(coveredPosition(snapshot)).map((p) => coveredMs(snapshot, Number(p))),
  )
  // By when a file was written, not by its date: a message may be as late as it likes.
  const fromMs = lastMs - AGENT_KEPT_MS - DAY_MS
  for (const file of snapshot.files.values()) {
    if (file.modifiedMs < fromMs) continue
    try {
      const { agent, seq } = await decodeParquet(await messages.readFile(file), ['agent', 'seq'])
      agent!.forEach((id, i) => {
        if (id === null) return
        const before = agents.get(id as string)
        const highest = Math.max(before?.seq ?? 0, seq![i] as number)
        agents.set(id as string, { seq: highest, lastMs: Math.max(before?.lastMs ?? 0, lastMs) })
      })
    } catch (error) {
      if (!isError(error, 'E_FILE_DAMAGED')) throw error
      logLine(`journal: ${describeError(error)}; what its agents send again may count twice`)
    }
  }
}
