import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { until } from '../watch.ts'
import { imagesFound, Stack } from './stack.ts'

/** As an upgrade goes: one serving node after the other ends and starts anew, and whoever asks notices nothing. */

const ASKERS = 4
const EVERY_MS = 20
const ANSWER_MS_MAX = 30_000

const found = await imagesFound()

test.runIf(found)(
  'serving nodes are started anew one after the other, and every question is answered',
  async () => {
    await using stack = await Stack.start({ services: ['web'] })
    const url = `http://127.0.0.1:${stack.ports.web}`
    const headers = { authorization: `Bearer ${stack.token}` }
    const isReady = async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok === true
    await until('it answers', isReady, 120_000)

    /** Whether the one address asks that node: who comes with a node's cookie is given another where that is away. */
    const isAsked = async (node: string) => {
      const cookie = `NODE=${node.slice(-1)}`
      const answer = await fetch(`${url}/healthz`, { headers: { cookie } }).catch(() => null)
      return answer?.ok === true && answer.headers.get('set-cookie') === null
    }
    for (const node of ['serve-1', 'serve-2']) await until('it is asked', () => isAsked(node), 60_000)

    const failures: string[] = []
    let answered = 0
    let isOver = false
    const ask = async () => {
      while (!isOver) {
        const askedMs = Date.now()
        const said = await fetch(`${url}/v1/services`, {
          headers,
          signal: AbortSignal.timeout(ANSWER_MS_MAX),
        })
          .then(async (answer) => (answer.ok ? answer.json() : `${answer.status} ${await answer.text()}`))
          .catch((error: Error) => `${error.message} ${error.cause ?? ''}`)
        if (typeof said === 'string') failures.push(`after ${Date.now() - askedMs} ms: ${said}`)
        else answered += 1
        await sleep(EVERY_MS)
      }
    }
    const asking = Array.from({ length: ASKERS }, ask)
    for (const node of ['serve-1', 'serve-2', 'serve-1']) {
      await stack.stop(node)
      await stack.start(node)
      await until('it is ready', () => stack.isReady(node), 60_000)
      await until('it is asked', () => isAsked(node), 60_000)
    }
    isOver = true
    await Promise.all(asking)
    expect(failures).toEqual([])
    expect(answered).toBeGreaterThan(100)
  },
  300_000,
)
