import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { nodeClock } from '../../../cli/host/clock.ts'
import { endInOrder } from '../../../serving/http/ending.ts'
import { plainApp } from '../../../serving/http/server.ts'

async function rig() {
  const app = plainApp(null, { endsInOrder: true })
  const asked = Promise.withResolvers<void>()
  app.get('/in/:ms', async (request) => {
    asked.resolve()
    await sleep(Number((request.params as { ms: string }).ms))
    return { done: true }
  })
  app.get('/at-once', async () => ({ done: true }))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, asked: asked.promise, end: () => endInOrder(app, nodeClock()) }
}

test('what is being answered is answered, and the server then ends at once', async () => {
  const { url, asked, end } = await rig()
  // It leaves a connection open that could be used again.
  await (await fetch(`${url}/at-once`)).json()
  const answer = fetch(`${url}/in/200`)
  await asked
  const startMs = performance.now()
  await end()
  expect(performance.now() - startMs).toBeLessThan(900)
  expect(await (await answer).json()).toEqual({ done: true })
})

test('an answer that takes too long is cut off', async () => {
  const { url, asked, end } = await rig()
  const answer = fetch(`${url}/in/5000`).then(
    () => 'answered',
    () => 'cut off',
  )
  await asked
  await end()
  expect(await answer).toBe('cut off')
})
