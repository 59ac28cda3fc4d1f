import { expect, test } from 'vitest'
import { resolveSettings, type Sources, unknownVariables } from '../../../cli/settings/settings.ts'
import { parseAddress, parseDate, parseDuration, parseHosts } from '../../../cli/settings/values.ts'
import { flagOf, SETTINGS, variableOf } from '../../../schemas/config.ts'
import { TIME_MS_MIN } from '../../../schemas/time.ts'

const none: Sources = { flags: {}, env: {}, file: null, cwd: '/somewhere' }
const file = (text: string) => ({ name: 'tidemark.toml', text })

test('flags win over the environment, that over the file, that over defaults', () => {
  const name = 'speed.tick'
  const sources = {
    ...none,
    flags: { 'speed-tick': '1s' },
    env: { TIDEMARK_SPEED_TICK: '2s' },
    file: file('[speed]\ntick = "3s"'),
  }
  expect(resolveSettings(sources).get(name)).toEqual({ value: '1s', source: '--speed-tick' })
  expect(resolveSettings({ ...sources, flags: {} }).get(name)).toEqual({
    value: '2s',
    source: 'TIDEMARK_SPEED_TICK',
  })
  expect(resolveSettings({ ...sources, flags: {}, env: {} }).get(name)).toEqual({
    value: '3s',
    source: 'tidemark.toml',
  })
  expect(resolveSettings(none).get(name)).toEqual({ value: '30s', source: 'default' })
})

test('every default is a value of its kind, and every name has its flag and variable', () => {
  const settings = resolveSettings(none)
  for (const { name } of SETTINGS) expect(settings.get(name).source).toBe('default')
  expect([flagOf('collector.block_messages'), variableOf('collector.block_messages')]).toEqual([
    '--collector-block-messages',
    'TIDEMARK_COLLECTOR_BLOCK_MESSAGES',
  ])
})

test('a wrong value is refused by setting and source', () => {
  const cases: [Partial<Sources>, RegExp][] = [
    [{ file: file('[[data]]') }, /tidemark\.toml makes tables of data, which is one value/],
    [{ file: file('data = [{ a = 1 }]') }, /tidemark\.toml makes tables of data/],
    [{ flags: { 'speed-tick': '30' } }, /speed\.tick \(--speed-tick\) must be a duration.*"30"/],
    [
      { env: { TIDEMARK_COLLECTOR_LISTEN: '7070' } },
      /collector\.listen \(TIDEMARK_COLLECTOR_LISTEN\) must be an address/,
    ],
    [
      { file: file('[batch]\nschedule = "hourly"') },
      /batch\.schedule \(tidemark\.toml\) must be a cron pattern/,
    ],
    [{ file: file('[batch]\nengine = "flink"') }, /duckdb, spark or reference/],
    [{ file: file('speeed = 1') }, /sets speeed, which is no setting/],
    [{ file: file('[speed') }, /not valid TOML/],
    [
      { flags: { 'lake-url': 's3://' } },
      /lake\.url.*a directory, a file:\/\/ or an s3:\/\/ URL \(a bucket is named as s3:\/\/BUCKET\/PREFIX\)/,
    ],
    [{ flags: { 'lake-s3-endpoint': 'minio:9000' } }, /lake\.s3_endpoint.*a URL like/],
    [{ flags: { 'lake-s3-path-style': 'yes' } }, /auto or true or false/],
    [{ flags: { 'lake-copies-max': 'all' } }, /lake\.copies_max/],
  ]
  for (const [sources, message] of cases)
    expect(() => resolveSettings({ ...none, ...sources })).toThrow(message)
})

test.for([
  ['log-url', 'kafka://me:secret@k1:9092,k2:9092/t', 'log.sasl_password'],
  ['lake-url', 's3://me:secret@bucket/lake', 'AWS_SECRET_ACCESS_KEY'],
  ['lake-s3-endpoint', 'https://me:secret@s3.example.org', 'AWS_SECRET_ACCESS_KEY'],
] as const)('a password in --%s is refused and not shown', ([flag, url, instead]) => {
  const resolve = () => resolveSettings({ ...none, flags: { [flag]: url } })
  expect(resolve).toThrow(instead)
  expect(resolve).not.toThrow('secret')
})

test('a prefix may have an @', () => {
  const settings = resolveSettings({ ...none, flags: { 'lake-url': 's3://bucket/a@b' } })
  expect(settings.get('lake.url').value).toBe('s3://bucket/a@b')
})

test('a variable that is no setting is not an error, and is pointed at', () => {
  const env = {
    TIDEMARK_SPEED_TIK: '1s',
    TIDEMARK_SERVICE_HOST: '10.0.0.1',
    TIDEMARK_TEST_REQUIRE: 'all',
    TIDEMARK_TOKEN: 'tmk_',
    PATH: '/bin',
  }
  expect(resolveSettings({ ...none, env }).get('speed.tick').source).toBe('default')
  expect(unknownVariables(env)).toEqual([
    'TIDEMARK_SPEED_TIK is set and is no setting; did you mean TIDEMARK_SPEED_TICK?',
    expect.stringMatching(/^TIDEMARK_SERVICE_HOST is set/),
  ])
})

test('paths start from the working folder; the lake lies in the data directory unless it is named', () => {
  const settings = resolveSettings(none)
  expect([settings.dataDir(), settings.lakeDir()]).toEqual(['/somewhere/data', '/somewhere/data/lake'])
  expect(resolveSettings({ ...none, flags: { 'lake-url': 'file:///lake' } }).lakeDir()).toBe('/lake')
  expect(resolveSettings({ ...none, flags: { 'lake-url': 's3://b-1/x' } }).lakeDir()).toBe('s3://b-1/x')
})

test('durations, addresses and dates are read as people write them', () => {
  expect(['250ms', '30s', '15m', '24h', '1.5h', '30', '0s', '-1s'].map(parseDuration)).toEqual([
    250,
    30_000,
    900_000,
    86_400_000,
    5_400_000,
    null,
    null,
    null,
  ])
  expect(parseAddress('[::1]:0')).toEqual({ host: '::1', port: 0 })
  expect(['host:99999', 'host', ':80', 'a b:1'].map(parseAddress)).toEqual([null, null, null, null])
  expect(['0000-12-31', '0001-01-01T00:00+14:00'].map(parseDate)).toEqual([null, null])
  expect(parseDate('0001-01-01')).toBe(TIME_MS_MIN)
  expect([parseDate('2000-01-01'), parseDate('2026-02-31'), parseDate('yesterday')]).toEqual([
    946_684_800_000,
    null,
    null,
  ])
})

test('host names are separated by commas, in any case, and have no port', () => {
  expect(parseHosts('')).toEqual([])
  expect(parseHosts('Metrics.Example.org, tide')).toEqual(['metrics.example.org', 'tide'])
  for (const wrong of ['a:80', 'http://a', 'a,,b', '*', 'a b', '.a', '[::1]'])
    expect([wrong, parseHosts(wrong)]).toEqual([wrong, null])
})
