import type { SenderOptions, Sent } from './ingest/sender.ts'
import { forkWith, messageOf } from './process.ts'

/** The floor of everything that sends: a process that appends and syncs what it gets, without a look. */
export async function startFloor(path: string) {
  const child = forkWith(new URL('ingest/floor.ts', import.meta.url), path)
  const { port } = await messageOf<{ port: number }>(child)
  return { port, pid: child.pid!, [Symbol.dispose]: () => child.disconnect() }
}

/** What the sender of the ingest benchmark comes to, as a process of its own. */
export const send = (options: SenderOptions): Promise<Sent> =>
  messageOf(forkWith(new URL('ingest/sender.ts', import.meta.url), options))

/** What the floor takes of the same lines. */
export async function againstFloor(
  path: string,
  options: Omit<SenderOptions, 'port' | 'acks'>,
): Promise<Sent> {
  using floor = await startFloor(path)
  return await send({ ...options, port: floor.port, acks: 'bytes' })
}
