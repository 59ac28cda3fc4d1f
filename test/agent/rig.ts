import { type Agent, type AgentConfig, type AgentDeps, startAgent } from '../../agent/agent.ts'
import type { Rig } from '../collector/rig.ts'
import { simRandom } from '../sim/random.ts'

/** An agent that samples each second and sends to the collector of `rig`. */
export function connectAgent(
  rig: Rig,
  { about, ...deps }: Pick<AgentConfig, 'about'> & Partial<Pick<AgentDeps, 'sample' | 'token'>>,
): Agent {
  return startAgent(
    {
      host: '127.0.0.1',
      port: 7070,
      service: 'web',
      hostName: 'web-1',
      intervalMs: 1_000,
      ...(about && { about }),
    },
    {
      net: rig.net,
      clock: rig.clock,
      random: simRandom(7),
      sample: async () => [1, 2, 3],
      ...deps,
      logLine: (line) => void rig.lines.push(line),
    },
  )
}

export async function close(agent: Agent, rig: Rig): Promise<void> {
  const closed = agent.close()
  await rig.run(2_000)
  await closed
}
