import { describeError, TidemarkError } from '../../schemas/errors.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { readOwn } from '../access/tokens.ts'
import { readAddresses } from '../compose/addresses.ts'
import { pinnedFetch } from '../host/pinned-fetch.ts'

/**
 * Asks the `up` that runs on a data directory. Null when none does.
 * Throws `E_CONNECT` when it does not answer, and `E_ENGINE` with its own words when it refuses.
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
  const answer = (await response.json().catch(() => null)) as { detail?: string; title?: string } | null
  if (response.ok) return answer
  const reason = answer?.detail ?? answer?.title ?? `status ${response.status}`
  throw new TidemarkError('E_ENGINE', `${addresses.serving}${path} refused: ${reason}`)
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
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
  } catch (error) {
    const { cause, code } = error as { code?: string; cause?: { code?: string } }
    if ((cause?.code ?? code) === 'ECONNREFUSED') return null
    throw new TidemarkError('E_CONNECT', `${url} does not answer: ${describeError(error)}`)
  }
}
