import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLogOnKafka } from '../../../cli/compose/kafka.ts'
import { configuredLog } from '../../../cli/compose/log.ts'
import { nodeClock } from '../../../cli/host/clock.ts'
import { nodeDisk } from '../../../cli/host/disk.ts'
import { nodeRandom } from '../../../cli/host/random.ts'
import { resolveSettings } from '../../../cli/settings/settings.ts'
import { makeCa } from '../../cli/host/certificates.ts'
import { block } from '../../log/journal/samples.ts'
import { type Brokers, kafkaFound, startBrokers } from './brokers.ts'
import { makeLogin } from './login.ts'
import { CLIENTS, topicName } from './opened.ts'

/** Settings that name how to speak to a broker that asks who is there, on a listener of TLS and on one without. */
describe.runIf(kafkaFound())('a broker that asks for a password', () => {
  let dir: string
  let brokers: Brokers
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tidemark-kafka-tls-'))
    const login = await makeLogin(dir)
    await writeFile(join(dir, 'other.pem'), (await makeCa()).cert)
    brokers = await startBrokers(1, null, login)
  })
  afterAll(async () => {
    await brokers[Symbol.asyncDispose]()
    await rm(dir, { recursive: true })
  })

  function open(client: string, address: string, flags: Record<string, string>) {
    const topic = topicName()
    const settings = resolveSettings({
      flags: {
        'log-url': `kafka://${address}/${topic}`,
        'log-kafka-client': client,
        'log-replication': '1',
        ...flags,
      },
      env: {},
      file: null,
      cwd: dir,
    })
    const host = { disk: nodeDisk(), clock: nodeClock(), random: nodeRandom(), logLine: () => {} }
    return openLogOnKafka(settings, configuredLog(settings), { topic, partitions: 1 }, host)
  }
  const login = (mechanism: string, password = 'secret') => ({
    ...{ 'log-sasl-mechanism': mechanism, 'log-sasl-username': 'tide', 'log-sasl-password': password },
  })

  describe.each(Object.keys(CLIENTS))('with %s', (client) => {
    test.each(['plain', 'scram-sha-256', 'scram-sha-512'])(
      'lets in by %s, with TLS and without',
      async (mechanism) => {
        const { sasl, tls } = brokers.secured!
        for (const [address, flags] of [
          [sasl, login(mechanism)],
          [tls, { ...login(mechanism), 'log-ca': 'ca.pem' }],
        ] as const) {
          const log = await open(client, address, flags)
          expect(await log.append(0, block('a', 1))).toBe(0)
          expect((await log.read(0, -1, 10)).blocks).toHaveLength(1)
          await log.close()
        }
      },
    )

    test('says what is wrong with a password, and with a CA', async () => {
      const { sasl, tls } = brokers.secured!
      const refused = async (address: string, flags: Record<string, string>) => {
        const error = await open(client, address, flags).then(
          () => null,
          (error: Error) => error,
        )
        return error
      }
      const wrong = await refused(sasl, login('scram-sha-512', 'wrong'))
      expect(wrong).toMatchObject({ code: 'E_LOG', message: expect.stringMatching(/authenti/i) })
      const untrusted = await refused(tls, { ...login('plain'), 'log-ca': 'other.pem' })
      expect(untrusted).toMatchObject({
        code: 'E_LOG',
        message: expect.stringMatching(/certificate|self.signed|verify/i),
      })
      expect(await refused(sasl, {})).toMatchObject({ code: 'E_LOG' })
    })
  })
})
