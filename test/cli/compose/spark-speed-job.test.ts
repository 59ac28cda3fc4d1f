import { expect, test } from 'vitest'
import { parseTold, speedJob } from '../../../cli/compose/layers/spark-speed-job.ts'
import { resolveSettings } from '../../../cli/settings/settings.ts'

const LOG = { 'log-url': 'kafka://a:9092,b:9092/topic', 'lake-url': 's3://tide/lake' }

function settingsOf(flags: Record<string, string>) {
  return resolveSettings({ flags: { ...LOG, ...flags }, env: {}, file: null, cwd: '/srv' })
}

test('the job begins where the lake ends, and its children get log and lake, and no key by the arguments', () => {
  const settings = settingsOf({
    'lake-s3-secret-key': 'hidden',
    'speed-tick': '5s',
    'spark-jars': '/jars/*.jar',
  })
  const { args, env } = speedJob(
    settings,
    '/scratch',
    new Map([
      [0, 0],
      [1, 17],
    ]),
  )
  const job = JSON.parse(env.TIDEMARK_SPEED_JOB!)
  expect(job).toMatchObject({
    kafka: {
      'kafka.bootstrap.servers': 'a:9092,b:9092',
      subscribe: 'topic',
      startingOffsets: '{"topic":{"0":0,"1":17}}',
    },
    tickMs: 5_000,
    env: {
      TIDEMARK_LOG_URL: LOG['log-url'],
      TIDEMARK_LAKE_URL: LOG['lake-url'],
      TIDEMARK_LAKE_S3_SECRET_KEY: 'hidden',
    },
  })
  expect(args.join(' ')).toMatch(/--jars \/jars\/\*\.jar .*speed\/spark\/job\.py$/)
  expect(args.join(' ')).not.toContain('hidden')
})

test('a lake in a folder has the same path wherever a child runs', () => {
  const { env } = speedJob(settingsOf({ 'lake-url': 'lake' }), '/scratch', new Map())
  expect(JSON.parse(env.TIDEMARK_SPEED_JOB!).env.TIDEMARK_LAKE_URL).toBe('/srv/lake')
})

test('what the job says is told from what others say', () => {
  const folded = [{ partition: 0, given: 3, asked: 0 }]
  expect(parseTold(JSON.stringify({ batch: 1, folded }))).toEqual({ folded })
  expect(parseTold('{"started": true}')).toEqual({ folded: [] })
  expect(parseTold('{"failed": "RuntimeError: x"}')).toEqual({ failed: 'RuntimeError: x' })
  for (const line of ['', 'WARN Utils', '{', '{}', '{"folded": 1}']) expect(parseTold(line)).toBe(null)
})

const kafkaOf = (flags: Record<string, string>) =>
  JSON.parse(speedJob(settingsOf(flags), '/scratch', new Map()).env.TIDEMARK_SPEED_JOB!).kafka

test('Spark is told how to speak to brokers as the settings say', () => {
  expect(kafkaOf({})).not.toHaveProperty(['kafka.security.protocol'])
  expect(kafkaOf({ 'log-tls': 'true' })).toMatchObject({ 'kafka.security.protocol': 'SSL' })
  expect(kafkaOf({ 'log-ca': 'ca.pem' })).toMatchObject({
    'kafka.security.protocol': 'SSL',
    'kafka.ssl.truststore.type': 'PEM',
    'kafka.ssl.truststore.location': '/srv/ca.pem',
  })
  expect(kafkaOf({ 'log-sasl-username': 'u', 'log-sasl-password': 'p' })).toMatchObject({
    'kafka.security.protocol': 'SASL_PLAINTEXT',
    'kafka.sasl.mechanism': 'SCRAM-SHA-512',
    'kafka.sasl.jaas.config':
      'org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password="p";',
  })
  expect(
    kafkaOf({ 'log-sasl-username': 'u', 'log-sasl-mechanism': 'plain', 'log-tls': 'true' }),
  ).toMatchObject({
    'kafka.security.protocol': 'SASL_SSL',
    'kafka.sasl.mechanism': 'PLAIN',
    'kafka.sasl.jaas.config': expect.stringContaining('.plain.PlainLoginModule required username="u"'),
  })
})

test('a password of any characters stands in quotes that nothing in it ends', () => {
  const { 'kafka.sasl.jaas.config': login } = kafkaOf({
    'log-sasl-username': 'u',
    'log-sasl-password': 'a"; b\\\n=c',
  })
  expect(login).toMatch(/ password="a\\"; b\\\\\\n=c";$/)
})

test('no argument holds the password, and a child finds the CA wherever it runs', () => {
  const flags = { 'log-sasl-username': 'u', 'log-sasl-password': 'hidden', 'log-ca': 'ca.pem' }
  const { args, env } = speedJob(settingsOf(flags), '/scratch', new Map())
  expect(args.join(' ')).not.toContain('hidden')
  expect(JSON.parse(env.TIDEMARK_SPEED_JOB!).env).toMatchObject({
    TIDEMARK_LOG_SASL_PASSWORD: 'hidden',
    TIDEMARK_LOG_CA: '/srv/ca.pem',
  })
})
