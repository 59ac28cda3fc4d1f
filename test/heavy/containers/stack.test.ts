import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { counted, expectedOf } from '../kafka/processes.ts'
import { LoadSender } from '../load.ts'
import { readWithDeltaRs } from '../outside.ts'
import { until } from '../watch.ts'
import { IMAGES, imagesFound, podman, Stack } from './stack.ts'

/**
 * docker-compose.yml as it is, in containers: collectors, workers, broker and bucket are killed, a serving node is cut off from the
 * network and joined again, and every acknowledged message counts once, whoever answers.
 */

const SENDERS = 2
const EACH = 6_000
const DAY_MS = 86_400_000
/** A question is answered, or its connection ended, long before. */
const ANSWER_MS_MAX = 30_000

const found = await imagesFound()

test.runIf(found)('the images are small, and run as nobody in particular', async () => {
  const about = async (image: string) => JSON.parse(await podman('image', 'inspect', image))[0]
  const [server, agent] = [await about(IMAGES.server), await about(IMAGES.agent)]
  expect(server.Size).toBeLessThan(250e6)
  expect(agent.Size).toBeLessThan(120e6)
  expect([server.Config.User, agent.Config.User]).toEqual(['10001:10001', '10001:10001'])
  const sample = await podman(
    'run',
    '--rm',
    '--read-only',
    '--network=none',
    IMAGES.agent,
    '--service',
    'x',
    '--once',
  )
  expect(JSON.parse(sample)).toMatchObject({ service: 'x', cpu: expect.any(Number) })
})

test.runIf(found)(
  'the stack counts every message once, whichever container is killed or cut off',
  async () => {
    await using stack = await Stack.start()
    const { web } = stack.ports
    const url = `http://127.0.0.1:${web}`
    const headers = { authorization: `Bearer ${stack.token}` }
    await until(
      'it answers',
      async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok === true,
      120_000,
    )
    expect((await fetch(`${url}/v1/services`)).status).toBe(401)
    expect(await askedInBrowser(url, stack.token)).toEqual(Array(ASKED).fill(200))

    const startMs = Date.now() - 10 * DAY_MS
    const senders = Array.from({ length: SENDERS }, (_, i) => new LoadSender(i + 1, startMs, EACH))
    const connect = (n: 0 | 1) => stack.connect(senders, n)
    const half = () => senders.every(({ acked }) => acked >= EACH / 2)
    await connect(0)
    for (const sender of senders) sender.send(EACH / 3)
    await until('some are acknowledged', () => senders.every(({ acked }) => acked > 200))
    await stack.kill('collector-1')
    await stack.kill('speed-1')
    await connect(1)
    for (const sender of senders) sender.send(EACH / 2)
    await stack.kill('lake-writer')
    await stack.cut('serve-2')
    await until('half is acknowledged', half, 120_000)
    await stack.kill('kafka')
    for (const sender of senders) sender.send(EACH)
    for (const service of ['kafka', 'collector-1', 'speed-1', 'lake-writer']) await stack.start(service)
    await stack.kill('s3')
    // What the node that is cut off was asked before it is known to be gone fails.
    const asked = (path: string) =>
      fetch(`${url}${path}`, { headers, signal: AbortSignal.timeout(ANSWER_MS_MAX) }).catch(() => null)
    await until('a node says that the bucket is away', async () => {
      const ready = await asked('/readyz')
      return ready?.status === 503 && (await ready.text()).includes('serving')
    })
    await until('questions are answered from its index all the same', async () => {
      for (let i = 0; i < ASKED; i++) if ((await asked('/v1/services'))?.status !== 200) return false
      return true
    })
    await stack.start('s3')
    await stack.join('serve-2')
    await until(
      'all are acknowledged',
      async () => {
        if (senders.some(({ connected }) => !connected)) await connect(1)
        for (const sender of senders) sender.send(EACH)
        return senders.every(({ done }) => done)
      },
      180_000,
    )

    const expected = expectedOf(senders, EACH, startMs)
    const check = async (what: string) => {
      let answers: unknown[] = []
      try {
        await until(
          what,
          async () => {
            // The nodes take turns.
            answers = await Promise.all([1, 2, 3, 4].map(() => counted(url, startMs, headers).catch(String)))
            return answers.every((answer) => isDeepStrictEqual(answer, expected))
          },
          90_000,
        )
      } catch (error) {
        throw new Error(`${JSON.stringify(answers)}\n${await stack.logs()}`, { cause: error })
      }
    }
    await check('every message counts once in real time')
    const run = await stack.tidemark('batch', 'batch', '--once', '--full', '--data', '/tmp/once')
    expect(run).toContain('published')
    await check('every message counts once from the batch')

    const volume = await podman('volume', 'inspect', `${stack.project}_s3`, '--format', '{{.Mountpoint}}')
    const table = join(volume.trim(), 'tidemark/lake/messages')
    const rows = await readWithDeltaRs<{ agent: string | null }>(table, ['agent'])
    expect(rows.filter(({ agent }) => agent?.startsWith('load-'))).toHaveLength(expected.messages)

    const inspected = JSON.parse(await podman('inspect', stack.of('serve-1'), stack.of('collector-2')))
    for (const { HostConfig } of inspected) expect(HostConfig.ReadonlyRootfs).toBe(true)
  },
  600_000,
)

/** More than there are serving nodes. */
const ASKED = 6

/** Signs in as a browser does, and asks again and again: the session is known to one node alone. */
async function askedInBrowser(url: string, token: string): Promise<number[]> {
  const { headers } = await fetch(`${url}/sign-in`, {
    method: 'POST',
    body: new URLSearchParams({ token }),
    redirect: 'manual',
  })
  const cookie = headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
  const own = { cookie, 'sec-fetch-site': 'same-origin' }
  const statuses: number[] = []
  for (let i = 0; i < ASKED; i++) statuses.push((await fetch(`${url}/v1/services`, { headers: own })).status)
  return statuses
}
