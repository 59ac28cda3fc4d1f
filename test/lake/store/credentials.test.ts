import { expect, test } from 'vitest'
import { type CredentialConfig, credentialSource, parseProfile } from '../../../lake/store/s3/credentials.ts'
import { bucketUrl } from '../../../lake/store/s3/place.ts'
import type { Http } from '../../../schemas/ports/http.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'

const NONE: CredentialConfig = { accessKey: null, secretKey: null, profile: null }
const START_MS = Date.UTC(2026, 10, 26)

/** A metadata endpoint: what it answers by `METHOD url`, asked for in turn. */
function endpoint(answers: { [request: string]: string }): Http & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    async send({ method, url, headers }) {
      const token = headers['x-aws-ec2-metadata-token'] ?? headers.authorization
      asked.push(`${method} ${url}${token ? ` ${token}` : ''}`)
      const text = answers[`${method} ${url}`]
      return {
        status: text === undefined ? 404 : 200,
        header: () => null,
        body: new TextEncoder().encode(text ?? ''),
      }
    },
  }
}

function source(env: { [name: string]: string }, http: Http = endpoint({}), config = NONE) {
  const clock = new SimClock(START_MS)
  const disk = new SimDisk(1)
  return { clock, disk, credentials: credentialSource(config, { http, clock, disk, env }) }
}

test('settings come before the environment, and that before a file', async () => {
  const env = { AWS_ACCESS_KEY_ID: 'e', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' }
  const config = { ...NONE, accessKey: 'a', secretKey: 'b' }
  expect(await source(env, endpoint({}), config).credentials.get()).toMatchObject({
    accessKey: 'a',
    sessionToken: null,
  })
  expect(await source(env).credentials.get()).toMatchObject({ accessKey: 'e', sessionToken: 't' })
})

test('a profile of a shared file counts, and is read again after a refusal', async () => {
  const { disk, credentials } = source({ HOME: '/home/ann', AWS_PROFILE: 'lake' })
  const write = async (key: string) => {
    await disk.makeDir('/home/ann/.aws')
    const file = await disk.open('/home/ann/.aws/credentials', { create: true })
    await file.write(
      0,
      new TextEncoder().encode(
        `[default]\naws_access_key_id=no\n[lake]\naws_access_key_id = ${key}\naws_secret_access_key = x=y\n`,
      ),
    )
    await file.close()
  }
  await write('one')
  expect(await credentials.get()).toMatchObject({ accessKey: 'one', secretKey: 'x=y' })
  await write('two')
  expect((await credentials.get()).accessKey).toBe('one')
  expect(credentials.renew()).toBe(true)
  expect((await credentials.get()).accessKey).toBe('two')
  expect(parseProfile('# a=b\n[p]\na = b ; c', 'p').get('a')).toBe('b ; c')
})

test('the role of an instance is asked for with a token (IMDSv2), and again before it ends', async () => {
  const base = 'http://169.254.169.254/latest'
  const roles = `${base}/meta-data/iam/security-credentials/`
  const given = {
    AccessKeyId: 'i',
    SecretAccessKey: 's',
    Token: 't',
    Expiration: new Date(START_MS + 3_600_000).toISOString(),
  }
  const http = endpoint({
    [`PUT ${base}/api/token`]: 'TOKEN',
    [`GET ${roles}`]: 'lake-role',
    [`GET ${roles}lake-role`]: JSON.stringify(given),
  })
  const { clock, credentials } = source({}, http)
  expect(await Promise.all([credentials.get(), credentials.get()])).toMatchObject([
    { accessKey: 'i', sessionToken: 't' },
    {},
  ])
  expect(http.asked).toEqual([`PUT ${base}/api/token`, `GET ${roles} TOKEN`, `GET ${roles}lake-role TOKEN`])
  await clock.advance(3_200_000)
  await credentials.get()
  expect(http.asked).toHaveLength(3)
  await clock.advance(200_000)
  await credentials.get()
  expect(http.asked).toHaveLength(6)
})

test("a container's endpoint is asked with its token, and not without TLS at a foreign host", async () => {
  const given = JSON.stringify({ AccessKeyId: 'c', SecretAccessKey: 's' })
  const http = endpoint({ 'GET http://169.254.170.2/v2/x': given })
  const env = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/x', AWS_CONTAINER_AUTHORIZATION_TOKEN: 'T' }
  expect(await source(env, http).credentials.get()).toMatchObject({ accessKey: 'c', expiresMs: null })
  expect(http.asked).toEqual(['GET http://169.254.170.2/v2/x T'])
  const foreign = source({ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://example.org/' }, http)
  await expect(foreign.credentials.get()).rejects.toMatchObject({ code: 'E_STORE', message: /without TLS/ })
})

test('where there are none it says where it looked, and no answer is repeated in an error', async () => {
  await expect(source({ AWS_EC2_METADATA_DISABLED: 'true' }).credentials.get()).rejects.toMatchObject({
    code: 'E_STORE',
    message: /no credentials/,
  })
  const http = endpoint({ 'GET http://localhost/': '{"SecretAccessKey":"hidden"' })
  await expect(
    source({ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://localhost/' }, http).credentials.get(),
  ).rejects.toThrow(/^((?!hidden).)*$/)
})

test('a bucket stands in the host or in the path', () => {
  const aws = { endpoint: null, region: 'eu-west-1' }
  expect(bucketUrl({ ...aws, pathStyle: false }, 'tide')).toBe('https://tide.s3.eu-west-1.amazonaws.com')
  expect(bucketUrl({ ...aws, pathStyle: true }, 'tide')).toBe('https://s3.eu-west-1.amazonaws.com/tide')
  expect(bucketUrl({ endpoint: 'http://h:9/s3/', region: 'x', pathStyle: true }, 'tide')).toBe(
    'http://h:9/s3/tide',
  )
})
