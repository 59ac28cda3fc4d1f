import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { nodeClock } from '../../cli/host/clock.ts'
import { nodeNet } from '../../cli/host/net.ts'
import { startCollector } from '../../collector/collector.ts'
import { PENDING_BYTES_MAX } from '../../collector/intake/limits.ts'
import { host } from '../../schemas/datasets/host.ts'
import { until } from '../cli/host/until.ts'
import { SimDisk } from '../sim/disk.ts'
import { SimLog } from '../sim/log.ts'
import { Client, message } from './rig.ts'

const AGENTS = 20
/** Twenty agents and their lines take longer than one. */
const STEP_MS = 5

test('agents that give up and come back while the log takes nothing leave no connections behind', async () => {
  const log = new SimLog()
  const net = nodeNet()
  const collector = await startCollector(
    { host: '127.0.0.1', port: 0 },
    {
      log,
      senders: log,
      datasets: [host],
      net,
      clock: nodeClock(),
      disk: new SimDisk(1),
      rejectsDir: '/rejects',
      logLine: () => {},
    },
  )
  log.held = true
  for (let round = 0; round < 5; round++) {
    const agents: Client[] = []
    for (let i = 0; i < AGENTS; i++) {
      const agent = new Client(await net.connect('127.0.0.1', collector.port))
      agent.send({ hello: 1, agent: `agent-${i}` })
      agents.push(agent)
    }
    await until(() => agents.every(({ answers }) => answers.length > 0), STEP_MS)
    for (const agent of agents)
      agent.send(...Array.from({ length: 100 }, (_, n) => ({ ...message(n), seq: n + 1 })))
    await wait(50)
    log.pending = PENDING_BYTES_MAX + 1
    // Whoever sends next finds the limit reached.
    for (const agent of agents) agent.send(...Array.from({ length: 1_000 }, () => message(1)))
    await wait(50)
    for (const { socket } of agents) socket.destroy()
  }
  expect(collector.status().connections).toBeLessThanOrEqual(AGENTS)
  log.pending = 0
  log.release()
  log.changed()
  await until(() => collector.status().connections === 0, STEP_MS)
  expect(new Set(log.messages().map(({ agent, seq }) => `${agent}/${seq}`)).size).toBe(log.messages().length)
  await collector.close()
})
