import { readFile } from 'node:fs/promises'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Running } from './up.ts'

/** Memory of a process as the system sees it. */
export async function rssBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1_024
}

/** Follows a process's memory; the result stops that and gives the highest seen. */
export function peakRss(pid: number): () => number {
  let peak = 0
  const look = () =>
    void rssBytes(pid).then(
      (bytes) => (peak = Math.max(peak, bytes)),
      () => {},
    )
  const timer = setInterval(look, 100)
  return () => {
    clearInterval(timer)
    return peak
  }
}

/** Messages of a service that the API counts over all time near now, 0 when it knows none. */
export async function counted({ serving }: Running, service: string): Promise<number> {
  const range = `from=${Date.now() - 86_400_000}&to=${Date.now() + 86_400_000}`
  const answer = await fetch(`${serving}/v1/services/${service}/stats?${range}`)
  return answer.ok ? ((await answer.json()) as { messages: number }).messages : 0
}

/** Milliseconds until a message sent by somebody new is acknowledged. */
export function ackMs(port: number, service: string): Promise<number> {
  const startedMs = performance.now()
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('error', reject)
    socket.once('data', () => {
      socket.end()
      resolve(performance.now() - startedMs)
    })
    socket.write(`{"service":"${service}","cpu":1,"ram":2,"disk":3}\n`)
  })
}

/** Waits until something is so, at most `ms`. */
export async function until(
  what: string,
  done: () => boolean | Promise<boolean>,
  ms = 60_000,
): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error(`within ${ms / 1_000} s it did not happen: ${what}`)
    await wait(50)
  }
}

/** A port for a collector that comes back: free, and none that the system gives to outgoing connections. */
export async function lastingPort(random: () => number): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(random() * 10_000)
    const server = net.createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (free) return port
  }
}
