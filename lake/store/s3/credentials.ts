import { TidemarkError } from '../../../schemas/errors.ts'
import type { Clock } from '../../../schemas/ports/clock.ts'
import type { Disk } from '../../../schemas/ports/disk.ts'
import type { Http, HttpRequest } from '../../../schemas/ports/http.ts'

/**
 * Where the key to a bucket comes from; the first that there is counts:
 *
 *     settings      lake.s3_access_key and lake.s3_secret_key
 *     environment   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *     file          the profile in ~/.aws/credentials
 *     container     the endpoint in AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or …_FULL_URI
 *     instance      the role of the machine, by IMDSv2
 *
 * Those of a container or an instance end and are asked for again in time; a file is read again when the store refuses its key.
 */

export interface Credentials {
  readonly accessKey: string
  readonly secretKey: string
  readonly sessionToken: string | null
  /** When they end; null: never. */
  readonly expiresMs: number | null
}

export interface CredentialSource {
  /** Throws `E_STORE` where there are none now. */
  get(): Promise<Credentials>
  /** Forgets those it has; false where asking again would give the same. */
  renew(): boolean
}

export interface CredentialConfig {
  /** Both or none. */
  readonly accessKey: string | null
  readonly secretKey: string | null
  readonly profile: string | null
}

export interface CredentialDeps {
  readonly http: Http
  readonly clock: Clock
  readonly disk: Disk
  readonly env: { readonly [name: string]: string | undefined }
}

/** New ones are asked for so long before the old ones end. */
const EARLY_MS = 300_000
/** Each request to a metadata endpoint; none answers on a machine outside of a cloud. */
const METADATA_MS_MAX = 2_000
/** Hosts that a container's endpoint may have without TLS: nobody else can listen there. */
const CONTAINER_HOSTS = new Set([
  '169.254.170.2',
  '169.254.170.23',
  '[fd00:ec2::23]',
  'localhost',
  '127.0.0.1',
  '[::1]',
])

export function credentialSource(config: CredentialConfig, deps: CredentialDeps): CredentialSource {
  const { accessKey, secretKey } = config
  if (accessKey !== null && secretKey !== null) return fixed(accessKey, secretKey, null)
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = deps.env
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY)
    return fixed(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN || null)
  return renewed(deps.clock, async () => {
    const found =
      (await fromFile(config.profile ?? deps.env.AWS_PROFILE ?? 'default', deps)) ??
      (await fromContainer(deps)) ??
      (await fromInstance(deps))
    if (found !== null) return found
    throw new TidemarkError(
      'E_STORE',
      'no credentials for the bucket: none in settings, environment, ~/.aws/credentials, container or instance',
    )
  })
}

function fixed(accessKey: string, secretKey: string, sessionToken: string | null): CredentialSource {
  const credentials = { accessKey, secretKey, sessionToken, expiresMs: null }
  return { get: async () => credentials, renew: () => false }
}

/** Asks once however many wait, and keeps what it got while it lasts. */
function renewed(clock: Clock, ask: () => Promise<Credentials>): CredentialSource {
  let current: Promise<Credentials> | null = null
  return {
    async get() {
      const asked = current
      const { expiresMs } = (await asked?.catch(() => null)) ?? { expiresMs: 0 }
      const isOver = expiresMs !== null && clock.nowMs() >= expiresMs - EARLY_MS
      // Another caller may have asked meanwhile.
      if (isOver && current === asked) current = ask()
      current ??= ask()
      return current
    },
    renew() {
      current = null
      return true
    },
  }
}

async function fromFile(profile: string, { disk, env }: CredentialDeps): Promise<Credentials | null> {
  const path = env.AWS_SHARED_CREDENTIALS_FILE || (env.HOME ? `${env.HOME}/.aws/credentials` : null)
  const bytes = path === null ? null : await disk.readFile(path)
  if (bytes === null) return null
  const values = parseProfile(new TextDecoder().decode(bytes), profile)
  const accessKey = values.get('aws_access_key_id')
  const secretKey = values.get('aws_secret_access_key')
  if (!accessKey || !secretKey) return null
  return { accessKey, secretKey, sessionToken: values.get('aws_session_token') || null, expiresMs: null }
}

/** The values of `[profile]` in an INI file. */
export function parseProfile(text: string, profile: string): Map<string, string> {
  const values = new Map<string, string>()
  let isProfile = false
  for (const line of text.split(/\r?\n/)) {
    const section = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line)
    const pair = /^\s*([^#;=\s]+)\s*=\s*(.*?)\s*$/.exec(line)
    if (section) isProfile = section[1] === profile
    else if (pair && isProfile) values.set(pair[1]!.toLowerCase(), pair[2]!)
  }
  return values
}

async function fromContainer(deps: CredentialDeps): Promise<Credentials | null> {
  const { env, disk } = deps
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
  const full = env.AWS_CONTAINER_CREDENTIALS_FULL_URI
  if (!relative && !full) return null
  const url = relative ? `http://169.254.170.2${relative}` : full!
  const { protocol, hostname } = new URL(url)
  if (protocol !== 'https:' && !CONTAINER_HOSTS.has(hostname))
    throw new TidemarkError('E_STORE', `credentials are not asked of ${hostname} without TLS`)
  const tokenFile = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
  const fileBytes = tokenFile ? await disk.readFile(tokenFile) : null
  const token = fileBytes ? new TextDecoder().decode(fileBytes).trim() : env.AWS_CONTAINER_AUTHORIZATION_TOKEN
  const text = await ask(deps, url, token ? { headers: { authorization: token } } : {})
  if (text === null) throw new TidemarkError('E_STORE', 'the container gives no credentials')
  return parseAnswer(text)
}

async function fromInstance(deps: CredentialDeps): Promise<Credentials | null> {
  const { env } = deps
  if (env.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true') return null
  const base = `${(env.AWS_EC2_METADATA_SERVICE_ENDPOINT || 'http://169.254.169.254').replace(/\/$/, '')}/latest`
  const token = await ask(deps, `${base}/api/token`, {
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' },
  }).catch(() => null)
  if (token === null) return null
  const headers = { 'x-aws-ec2-metadata-token': token }
  const roles = `${base}/meta-data/iam/security-credentials/`
  const role = (await ask(deps, roles, { headers }))?.split('\n')[0]?.trim()
  if (!role) return null
  const text = await ask(deps, roles + encodeURIComponent(role), { headers })
  return text === null ? null : parseAnswer(text)
}

/** Null for another answer than 200. */
async function ask(
  { http, clock }: CredentialDeps,
  url: string,
  { method = 'GET', headers = {} }: Partial<Pick<HttpRequest, 'method' | 'headers'>>,
): Promise<string | null> {
  const aborter = new AbortController()
  const cancel = clock.after(METADATA_MS_MAX, () => aborter.abort())
  try {
    const { status, body } = await http.send({ method, url, headers, body: null }, aborter.signal)
    return status === 200 ? new TextDecoder().decode(body) : null
  } catch (error) {
    throw new TidemarkError('E_STORE', `no credentials from ${new URL(url).host}`, { cause: error })
  } finally {
    cancel()
  }
}

function parseAnswer(text: string): Credentials {
  try {
    const { AccessKeyId, SecretAccessKey, Token, Expiration } = JSON.parse(text)
    const expiresMs = Expiration === undefined ? null : Date.parse(Expiration)
    if (typeof AccessKeyId === 'string' && typeof SecretAccessKey === 'string' && !Number.isNaN(expiresMs))
      return { accessKey: AccessKeyId, secretKey: SecretAccessKey, sessionToken: Token ?? null, expiresMs }
  } catch {
    // Said below: the text itself may hold a key.
  }
  throw new TidemarkError('E_STORE', 'what was answered for credentials is none')
}
