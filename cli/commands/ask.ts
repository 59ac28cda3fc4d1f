import { describeError, ERRORS, type ErrorCode, TidemarkError } from '../../schemas/errors.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { USER_HEADER } from '../../serving/http/who.ts'
import { readOwn } from '../access/tokens.ts'
import { readAddresses } from '../compose/addresses.ts'
import { pinnedFetch } from '../host/pinned-fetch.ts'
import { userName } from '../host/user.ts'

/**
 * Asks the `up` that runs on a data directory. Null when none does.
 * Throws `E_CONNECT` when it does not answer, and its own error when it refuses.
 */
export async function askRunning(
  disk: Disk,
  dataDir: string,
  path: string,
  request: { method: 'GET' | 'POST' | 'DELETE'; body?: object; timeoutMs: number },
): Promise<unknown | null> {
  const addresses = await readAddresses(disk, dataDir)
  if (addresses === null) return null
  const token = await readOwn(disk, dataDir)
  const response = await send(`${addresses.serving}${path}`, token, request, addresses.serving_certificate)
  // What a killed process left behind names a port where nobody listens.
  if (response === null) return null
  const answer = (await response.json().catch(() => null)) as Problem | null
  if (response.ok) return answer
  throw refusal(answer ?? {}, `${addresses.serving}${path}`, response.status)
}

/** What an answer that refuses says (RFC 9457). */
interface Problem {
  readonly code?: string
  readonly detail?: string
  readonly title?: string
  readonly hint?: string
}

/** The error as the process threw it, where it says which. */
export function refusal({ code, detail, title, hint }: Problem, url: string, status: number): TidemarkError {
  if (code !== undefined && Object.hasOwn(ERRORS, code) && detail !== undefined)
    return new TidemarkError(code as ErrorCode, detail, hint === undefined ? {} : { hint })
  return new TidemarkError('E_ENGINE', `${url} refused: ${detail ?? title ?? `status ${status}`}`)
}

async function send(
  url: string,
  token: string | null,
  { method, body, timeoutMs }: { method: string; body?: object; timeoutMs: number },
  certificate: string | undefined,
): Promise<Pick<Response, 'ok' | 'status' | 'json'> | null> {
  try {
    const ask = certificate === undefined ? fetch : pinnedFetch(certificate)
    return await ask(url, {
      method,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(token !== null && {
          authorization: `Bearer ${token}`,
          [USER_HEADER]: encodeURIComponent(userName()),
        }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
  } catch (error) {
    const { cause, code } = error as { code?: string; cause?: { code?: string } }
    if ((cause?.code ?? code) === 'ECONNREFUSED') return null
    throw new TidemarkError('E_CONNECT', `${url} does not answer: ${describeError(error)}`)
  }
}
