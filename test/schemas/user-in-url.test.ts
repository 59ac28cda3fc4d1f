import fc from 'fast-check'
import { expect, test } from 'vitest'
import { configuredLog } from '../../cli/compose/log.ts'
import { resolveSettings } from '../../cli/settings/settings.ts'
import { openStore } from '../../lake/store/open.ts'
import { describeError } from '../../schemas/errors.ts'
import { hasUser, hideUser } from '../../schemas/user-in-url.ts'
import { SimDisk } from '../sim/disk.ts'
import { simRandom } from '../sim/random.ts'

/** Passwords of everything that a URL has a meaning for; `hunter2` is looked for in what is said. */
const nastyPart = fc.string({
  unit: fc.constantFrom(...'/@:?#[]%,. \t\n\\"\'&=+aZ0é'),
  maxLength: 8,
})
const password = fc.tuple(nastyPart, nastyPart).map(([a, b]) => `${a}hunter2${b}`)
const user = fc.constantFrom('me', 'my_user', 'AKIA4EXAMPLE', '')
const url = fc
  .tuple(
    fc.constantFrom('kafka://', 's3://', 'https://', 'file://', 'kafka:', 'kafka:/', 'k://', ''),
    user,
    password,
  )
  .map(([scheme, name, secret]) => `${scheme}${name}:${secret}@host:9092/topic`)
  // `/x`, `./x` are folders, whatever they hold.
  .filter((value) => !/^\.{0,2}\//.test(value))

const saidBy = (fn: () => unknown): string => {
  try {
    return JSON.stringify(fn())
  } catch (error) {
    return describeError(error)
  }
}

test('a password in a URL is seen and not shown, whatever it holds', () => {
  fc.assert(
    fc.property(url, (value) => {
      expect(hasUser(value)).toBe(true)
      expect(hideUser(value)).not.toContain('hunter2')
    }),
    { numRuns: 500 },
  )
})

test('nor one behind which no host stands', () => {
  for (const value of [
    'kafka://me:hunter2',
    'kafka://me:hunter2/topic',
    's3://key:hunter2',
    'kafka://a:1,me:hunter2',
  ])
    expect([value, hideUser(value)]).toEqual([value, `${value.slice(0, value.indexOf('/'))}//(hidden)`])
  for (const value of [
    'kafka://a:9092,[::1]:9093/topic',
    's3://bucket/a:b',
    's3://bucket',
    'http://127.0.0.1:9000',
    'spark://host:7077',
    'file:///a:b/c',
    'https://host/?a:b',
    'kafka://host:/topic',
    'http://a:1/b:c',
  ])
    expect(hideUser(value)).toBe(value)
})

test('no setting and no place says a password', () => {
  const host = { disk: new SimDisk(1), random: simRandom(1) }
  fc.assert(
    fc.property(url, (value) => {
      const said = ['log-url', 'lake-url', 'lake-s3-endpoint', 'spark-master', 'collector-listen'].map(
        (flag) =>
          saidBy(() => {
            const settings = resolveSettings({ flags: { [flag]: value }, env: {}, file: null, cwd: '/' })
            if (flag === 'log-url') configuredLog(settings)
            return 'taken'
          }),
      )
      said.push(saidBy(() => void openStore(value, host)))
      expect(said.join('\n')).not.toContain('hunter2')
    }),
    { numRuns: 200 },
  )
})

test.each([
  '/data/a:b@c',
  './a:b@c',
  'file:///lake/a:b@c',
  's3://bucket/a:b@c',
  'lake@home',
  'kafka://127.0.0.1:9092,[::1]:9092/tidemark',
  'https://s3.example.org:9000',
  '@hourly',
])('%s names no user', (value) => expect([hasUser(value), hideUser(value)]).toEqual([false, value]))

test('what is hidden keeps its scheme', () => {
  expect(hideUser('kafka://me:a/b@k1:9092/t')).toBe('kafka://(hidden)')
  expect(hideUser('me:a/b@k1:9092/t')).toBe('(hidden)')
})
