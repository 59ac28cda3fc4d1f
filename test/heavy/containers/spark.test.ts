import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { counted, expectedOf } from '../kafka/processes.ts'
import { LoadSender } from '../load.ts'
import { until } from '../watch.ts'
import { imagesFound, Stack, sparkImageFound } from './stack.ts'

/** The profile spark of docker-compose.yml: a run on a cluster in containers, over a lake in a bucket. */

const EACH = 3_000
const DAY_MS = 86_400_000

test.runIf((await imagesFound()) && (await sparkImageFound()))(
  'a Spark cluster in containers computes the runs',
  async () => {
    await using stack = await Stack.start({
      profile: 'spark',
      services: ['collector-1', 'speed-1', 'batch-spark', 'spark-worker-1', 'spark-worker-2', 'web'],
    })
    const url = `http://127.0.0.1:${stack.ports.web}`
    const headers = { authorization: `Bearer ${stack.token}` }
    try {
      const isReady = async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok === true
      await until('it answers', isReady, 180_000)
      const startMs = Date.now() - 10 * DAY_MS
      const sender = new LoadSender(1, startMs, EACH)
      await stack.connect([sender], 0)
      sender.send(EACH)
      await until('all are acknowledged', () => sender.done, 120_000)
      const run = await stack.tidemark('batch-spark', 'batch', '--once', '--full', '--data', '/tmp/once')
      expect(run).toContain('published')
      const expected = expectedOf([sender], EACH, startMs)
      const isCounted = async () =>
        isDeepStrictEqual(await counted(url, startMs, headers).catch(() => null), expected)
      await until('every message counts once', isCounted, 120_000)
    } catch (error) {
      throw new Error(await stack.logs(), { cause: error })
    }
  },
  600_000,
)
