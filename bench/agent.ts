import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { buildAgentPackage } from '../cli/agent-package/build.ts'
import { type Footprint, footprint } from './footprint.ts'
import { machine } from './measure.ts'

/**
 * What the agent costs the machine it watches: the package as it is installed, with a spool, at one sample a second, sending
 * to a collector that only acknowledges; beside it a Node process that does nothing, as the floor.
 */
const BUDGET = { rssBytes: 60e6, privateBytes: 15e6, cpuPercent: 0.3 }
const SYSTEMINFORMATION = join(import.meta.dirname, '../node_modules/systeminformation')
const LOOK_EVERY_MS = 1_000
const START_MS_MAX = 30_000

/** The most that a process held, and its CPU time, over the time measured. */
export interface Held {
  readonly rssBytes: number
  readonly privateBytes: number
  readonly cpuPercent: number
}

export interface AgentCost {
  readonly seconds: number
  readonly agent: Held
  readonly idle: Held
  /** CPU time from its start to the first acknowledgement. */
  readonly startCpuMs: number
  readonly messages: number
}

export async function benchAgent(seconds: number): Promise<AgentCost> {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  const collector = await acknowledgingCollector()
  const children: ChildProcess[] = []
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, args, { stdio: 'ignore' })
    children.push(child)
    return child.pid!
  }
  try {
    const packageDir = join(dir, 'package')
    await mkdir(join(packageDir, 'node_modules'), { recursive: true })
    await symlink(SYSTEMINFORMATION, join(packageDir, 'node_modules/systeminformation'))
    await buildAgentPackage(packageDir)
    await writeFile(join(dir, 'idle.cjs'), 'setInterval(() => {}, 1 << 30)')
    const idle = start(join(dir, 'idle.cjs'))
    const agent = start(
      join(packageDir, 'cli/agent-package/entry.js'),
      `--collector=127.0.0.1:${collector.port}`,
      '--service=bench',
      `--spool=${join(dir, 'spool')}`,
    )
    for (let ms = 0; collector.messages() === 0; ms += 50) {
      if (ms > START_MS_MAX) throw new Error('the agent sent nothing')
      await wait(50)
    }
    const before = await Promise.all([agent, idle].map(footprint))
    const messages = collector.messages()
    const [ofAgent, ofIdle] = await watch([agent, idle], before, seconds)
    return {
      seconds,
      agent: ofAgent!,
      idle: ofIdle!,
      startCpuMs: before[0]!.cpuMs,
      messages: collector.messages() - messages,
    }
  } finally {
    for (const child of children) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    collector.server.close()
    await rm(dir, { recursive: true })
  }
}

async function watch(
  pids: readonly number[],
  before: readonly Footprint[],
  seconds: number,
): Promise<Held[]> {
  const startMs = performance.now()
  let last = before
  let most = before
  while (performance.now() - startMs < seconds * 1_000) {
    await wait(LOOK_EVERY_MS)
    last = await Promise.all(pids.map(footprint))
    most = last.map((now, i) => ({
      rssBytes: Math.max(now.rssBytes, most[i]!.rssBytes),
      privateBytes: Math.max(now.privateBytes, most[i]!.privateBytes),
      cpuMs: now.cpuMs,
    }))
  }
  const elapsedMs = performance.now() - startMs
  return most.map(({ rssBytes, privateBytes, cpuMs }, i) => ({
    rssBytes,
    privateBytes,
    cpuPercent: ((cpuMs - before[i]!.cpuMs) / elapsedMs) * 100,
  }))
}

/** Welcomes every sender and acknowledges each line as it comes. */
async function acknowledgingCollector(): Promise<{ server: Server; port: number; messages(): number }> {
  let messages = 0
  const server = createServer((socket) => {
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const lines = (text + bytes).split('\n')
      text = lines.pop()!
      for (const line of lines) {
        const { hello, seq } = JSON.parse(line)
        if (hello === undefined) messages += 1
        socket.write(hello === undefined ? `{"ack":${seq}}\n` : '{"welcome":1,"seq":0}\n')
      }
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, port: (server.address() as AddressInfo).port, messages: () => messages }
}

/** What the benchmark prints. */
export function agentText({ seconds, agent, idle, startCpuMs, messages }: AgentCost): string {
  const row = (what: string, one: number, floor: number, budget: number, unit: string, digits: number) => {
    const figure = (value: number) => `${value.toFixed(digits)} ${unit}`.padStart(9)
    return `  ${what.padEnd(24)}${figure(one)}   idle Node ${figure(floor)}   budget ${figure(budget)}   ${one <= budget ? 'within' : 'OVER'}`
  }
  return [
    `agent with a spool, ${messages} samples in ${seconds} s, on ${machine()}`,
    row('RSS, highest', agent.rssBytes / 1e6, idle.rssBytes / 1e6, BUDGET.rssBytes / 1e6, 'MB', 1),
    row(
      'private, highest',
      agent.privateBytes / 1e6,
      idle.privateBytes / 1e6,
      BUDGET.privateBytes / 1e6,
      'MB',
      1,
    ),
    row('CPU of one core', agent.cpuPercent, idle.cpuPercent, BUDGET.cpuPercent, '%', 3),
    `  to the first acknowledgement it used ${startCpuMs} ms of CPU`,
  ].join('\n')
}
