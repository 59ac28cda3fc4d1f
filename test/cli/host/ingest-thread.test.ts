import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TokenAccess } from '../../../cli/access/access.ts'
import { type IngestThread, startIngestThread } from '../../../cli/host/ingest-thread.ts'
import type { ThreadCollectorConfig } from '../../../cli/host/ingest-worker.ts'
import { nodeRandom } from '../../../cli/host/random.ts'
import type { LogReader } from '../../../log/port.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { hashToken, makeToken } from '../../../schemas/token.ts'
import { makeCa } from './certificates.ts'

const CONFIG: Omit<ThreadCollectorConfig, 'rejectsDir'> = {
  host: '127.0.0.1',
  port: 0,
  blockMessages: 50,
  lingerMs: 5,
  oldestMs: 0,
  connectionsMax: 10,
  servicesMax: 10,
  hostsMax: 10,
  unsealedBytesMax: 1 << 30,
  idleMs: 60_000,
  listenTls: null,
  datasets: [host],
}

/** A thread with an open journal. */
async function withThread(
  body: (thread: IngestThread, log: LogReader, rejectsDir: string) => Promise<void>,
  failed: (error: Error) => void = (error) => expect.unreachable(error.message),
) {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-ingest-'))
  const thread = startIngestThread({ logLine: () => {}, failed })
  try {
    const log = await thread.openJournal({ dir: join(dir, 'journal'), holder: 'a test', floor: {} })
    await body(thread, log, join(dir, 'rejects'))
  } finally {
    await thread.close()
    await rm(dir, { recursive: true })
  }
}

/** Sends a line and says what comes first. */
async function answerTo(port: number, line: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  socket.write(line)
  const [bytes] = await once(socket, 'data')
  socket.destroy()
  return String(bytes)
}

const MESSAGE = '{"service":"web","cpu":1,"ram":2,"disk":3}\n'
const OPEN = new TokenAccess({ insecure: false, loopback: false }, [])

test('what arrives in the thread can be read here, and counts before it is acknowledged', async () => {
  await withThread(async (thread, log, rejectsDir) => {
    const { port } = await thread.startCollector({ ...CONFIG, rejectsDir }, OPEN)
    expect(await answerTo(port, MESSAGE)).toBe('{"ack":1}\n')
    expect(log.end(0)).toBe(0)
    expect((await log.read(0, -1, 10)).blocks).toHaveLength(1)
  })
})

test('tokens that change while the collector starts are known to it', async () => {
  await withThread(async (thread, _log, rejectsDir) => {
    const { id, token } = makeToken(nodeRandom())
    const access = new TokenAccess({ insecure: false, loopback: true }, [])
    const starting = thread.startCollector({ ...CONFIG, rejectsDir }, access)
    access.replace([{ id, role: 'agent', name: '', createdMs: 0, expiresMs: null, sha256: hashToken(token) }])
    const { port } = await starting
    expect(await answerTo(port, `{"hello":1,"token":"${token}"}\n`)).toBe('{"ack":1}\n')
  })
})

test('a thread that speaks TLS ends although a peer did not', async () => {
  const { cert, key } = await (await makeCa()).issue({ ip: ['127.0.0.1'] })
  const listenTls = { cert, key, handshakeMs: 5_000, toPlainText: 'TLS\n' }
  await withThread(async (thread, _log, rejectsDir) => {
    const { port } = await thread.startCollector({ ...CONFIG, rejectsDir, listenTls }, OPEN)
    expect(await answerTo(port, MESSAGE)).toBe('TLS\n')
  })
})

test('a thread that dies is told of, and so is who asks it afterwards', async () => {
  const failed = Promise.withResolvers<Error>()
  await withThread(async (thread, log, rejectsDir) => {
    // Nobody has a record like this: comparing it throws in the middle of a connection.
    const broken = { id: '', role: 'agent', name: '', createdMs: 0, expiresMs: null, sha256: 'none' } as const
    const access = new TokenAccess({ insecure: false, loopback: true }, [broken])
    const { port } = await thread.startCollector({ ...CONFIG, rejectsDir }, access)
    const socket = net.connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write('{"hello":1,"token":"tmk_0a1b2c3d_00"}\n')
    expect((await failed.promise).message).toMatch(/^the thread that receives messages ended: /)
    await expect(log.read(0, -1, 10)).rejects.toMatchObject({ code: 'E_CLOSED' })
  }, failed.resolve)
})
