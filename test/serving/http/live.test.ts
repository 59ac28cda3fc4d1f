import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { apiRig } from './rig.ts'

/** Events as a browser gets them, while simulated time passes. */
async function follow(rig: Awaited<ReturnType<typeof apiRig>>, path: string, headers = {}) {
  const { port } = rig.app.server.address() as AddressInfo
  const gone = new AbortController()
  const answer = await until(rig, fetch(`http://127.0.0.1:${port}${path}`, { headers, signal: gone.signal }))
  const reader = answer.body!.getReader()
  let text = ''
  return {
    answer,
    /** Reads until what was read has `wanted`. */
    async has(wanted: RegExp): Promise<string> {
      while (!wanted.test(text)) {
        const { value, done } = await until(rig, reader.read())
        if (done) throw new Error(`it ended with ${text}`)
        text += Buffer.from(value!).toString()
      }
      return text
    },
    leave: () => gone.abort(),
  }
}

async function until<T>(rig: Awaited<ReturnType<typeof apiRig>>, promise: Promise<T>): Promise<T> {
  let isDone = false
  const done = promise.finally(() => {
    isDone = true
  })
  while (!isDone) {
    await rig.clock.advance(50)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return done
}

test('cells that change come as server-sent events of the view and key that are asked for', async () => {
  await using rig = await apiRig()
  await rig.app.listen({ host: '127.0.0.1', port: 0 })
  const live = await follow(rig, '/v1/live?view=host_minute&service=checkout')
  expect(live.answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  expect(live.answer.headers.get('cache-control')).toBe('no-store')
  await live.has(/event: begin\ndata: {"view":"host_minute","bucket_ms":60000,"window_ms":300000}\n\n/)
  const time = () => new Date(rig.clock.nowMs()).toISOString()
  await rig.send('search', 'web-9', time(), [1, 2, 3])
  await rig.send('checkout', 'web-7', time(), [42, 2, 3])
  const text = await live.has(/"host":"web-7".*"cpu":{"total":42,.*"complete":true,"left_out":0}\n\n/)
  expect(text).not.toContain('search')
  live.leave()
})

test('an order to stop ends every stream at once', async () => {
  const rig = await apiRig()
  await rig.app.listen({ host: '127.0.0.1', port: 0 })
  const streams = await Promise.all([1, 2, 3].map(() => follow(rig, '/v1/live')))
  for (const stream of streams) await stream.has(/event: begin/)
  const disposed = until(rig, rig[Symbol.asyncDispose]())
  for (const stream of streams) await stream.has(/event: end\ndata: {}\n\n/)
  await disposed
})

test('what cannot be followed is refused by name', async () => {
  await using rig = await apiRig()
  const cases: [string, string][] = [
    ['view=other', 'view'],
    ['host=web-1', 'host'],
    ['colour=red', 'colour'],
  ]
  for (const [query, parameter] of cases) {
    const answer = await rig.app.inject({ url: `/v1/live?${query}` })
    expect([query, answer.statusCode, answer.json().parameter]).toEqual([query, 400, parameter])
  }
})
