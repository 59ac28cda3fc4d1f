import { expect, test } from 'vitest'
import { parseTold, refuseSecured, speedJob } from '../../../cli/compose/layers/spark-speed-job.ts'
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

test('a log with TLS or SASL is refused', () => {
  expect(() => refuseSecured(settingsOf({}))).not.toThrow()
  for (const flags of [{ 'log-tls': 'true' }, { 'log-sasl-username': 'u' }, { 'log-ca': 'ca.pem' }])
    expect(() => refuseSecured(settingsOf(flags))).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
})
