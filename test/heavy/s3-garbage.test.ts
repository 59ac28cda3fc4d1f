import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { bucketServer, hasBucketServer, KEY, SECRET } from './bucket-server.ts'
import { LoadSender } from './load.ts'
import { needs } from './needs.ts'
import { startUp } from './up.ts'
import { until } from './watch.ts'

const SENDERS = 2
const MESSAGES_EACH = 6_000
const FRESH_MS = 1_000
/** A store that refuses everything for a minute, as S3 may while it divides a bucket. */
const BUSY_MS = 60_000
const GARBLED_MS = 10_000
const ERROR_PAGE =
  '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>We encountered an error</Message></Error>'

type Mode = 'good' | 'busy' | 'garbled'

/** What stands before a bucket, and answers for it. */
async function before(bucket: string) {
  let mode: Mode = 'good'
  let count = 0
  const server = http.createServer((request, response) => {
    const kind = mode === 'garbled' ? count++ % 5 : mode === 'busy' ? 5 : 4
    // Every other fault comes after the effect, as far as there is one.
    const cuts = kind === 0
    const answer = (status: number, text: string) => {
      request.resume()
      response.writeHead(status, { 'content-length': Buffer.byteLength(text) }).end(text)
    }
    if (kind === 5) return answer(503, '<Error><Code>SlowDown</Code><Message>Please reduce</Message></Error>')
    if (kind === 1) return answer(200, ERROR_PAGE)
    if (kind === 2) return answer(200, '<html>please log in</html>')
    const { method, headers, url } = request
    const onward = http.request(new URL(url!, bucket), { method, headers }, (answered) => {
      response.writeHead(answered.statusCode!, answered.headers)
      if (!cuts) return void answered.pipe(response)
      answered.once('data', (bytes: Buffer) => response.write(bytes.subarray(0, bytes.length / 2)))
      answered.once('end', () => response.destroy())
      answered.resume()
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    become: (next: Mode) => {
      mode = next
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

test.runIf(needs('versitygw', hasBucketServer))(
  'a bucket that is busy for a minute, or answers garbage, holds nobody up, and each message counts once in the end',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tidemark-s3-garbage-'))
    const bucket = await bucketServer(join(dir, 's3'))
    const proxy = await before(bucket.url)
    const up = await startUp(join(dir, 'data'), [
      ...['--lake-url', 's3://tide/lake', '--lake-s3-endpoint', proxy.url],
      ...['--lake-s3-access-key', KEY, '--lake-s3-secret-key', SECRET],
      ...['--speed-tick', '1s', '--batch-schedule', '*/3 * * * * *', '--agent-enabled', 'false'],
    ])
    const startMs = Date.now() - 2 * 3_600_000
    const senders = Array.from({ length: SENDERS }, (_, i) => new LoadSender(i + 1, startMs, MESSAGES_EACH))
    const acked = (share: number) => () => senders.every((one) => one.acked >= share * MESSAGES_EACH)
    const send = (share: number) => {
      for (const sender of senders) sender.send(share * MESSAGES_EACH - sender.sent)
    }
    const isReady = async () => (await fetch(`${up.serving}/readyz`)).ok
    const counted = async () => {
      const range = `from=${startMs - 86_400_000}&to=${startMs + 86_400_000}`
      const answer = await fetch(`${up.serving}/v1/analytics?${range}`)
      const { services, complete } = (await answer.json()) as {
        services: { messages: number }[]
        complete: boolean
      }
      return { messages: services.reduce((sum, { messages }) => sum + messages, 0), complete }
    }
    try {
      for (const sender of senders) sender.connect(up.collector.port)
      await until('they are welcome', () => senders.every(({ connected }) => connected))
      send(0.25)
      await until('it works', isReady)
      for (const [mode, ms, share] of [
        ['busy', BUSY_MS, 0.5],
        ['garbled', GARBLED_MS, 0.75],
      ] as const) {
        proxy.become(mode)
        send(share)
        await until('they are acknowledged all the same', acked(share), 20_000)
        // A whole answer may lack what was accepted in the last second.
        await wait(FRESH_MS)
        // No answer calls itself whole and counts anything but what was acknowledged.
        for (const endMs = Date.now() + ms; Date.now() < endMs; await wait(500)) {
          const { messages, complete } = await counted()
          expect(messages).toBeLessThanOrEqual(SENDERS * share * MESSAGES_EACH)
          if (complete) expect(messages).toBe(SENDERS * share * MESSAGES_EACH)
        }
        if (mode === 'busy') expect(await isReady()).toBe(false)
        proxy.become('good')
        await until('it is ready again', isReady, 60_000)
      }
      send(1)
      await until('all are acknowledged', acked(1))
      // One that the schedule began may go on.
      const run = async () => (await fetch(`${up.serving}/v1/runs`, { method: 'POST' })).status === 202
      await until('a run begins', run)
      const all = { messages: SENDERS * MESSAGES_EACH, complete: true }
      await until('all count', async () => JSON.stringify(await counted()) === JSON.stringify(all))
      expect(senders.flatMap(({ errors }) => errors)).toEqual([])
      expect(up.output()).not.toMatch(/damaged|vanished/)
      expect(await up.end('SIGTERM')).toBe(0)
    } catch (error) {
      console.log(up.output().split('\n').slice(-25).join('\n'))
      throw error
    } finally {
      for (const sender of senders) sender.close()
      await up.end('SIGKILL')
      proxy.close()
      await bucket.kill()
      await rm(dir, { recursive: true, force: true })
    }
  },
  280_000,
)
