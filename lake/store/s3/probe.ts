import { TidemarkError } from '../../../schemas/errors.ts'
import type { Random } from '../../../schemas/ports/clock.ts'
import { encodeKey } from './place.ts'
import type { Requests } from './requests.ts'

/** Puts of one absent key at once. */
const RACERS = 4

/**
 * Whether the store keeps an object that is there when a put wants it absent: what every commit stands on. Puts one key several
 * times at once, then once more. Throws `E_CONFIG` for a store that lets more than one win, or what the store throws.
 */
export async function probeConditions(
  requests: Requests,
  where: { readonly prefix: string; readonly url: string },
  random: Random,
): Promise<void> {
  const key = `${where.prefix}_probe/${random.hex(16)}`
  const path = encodeKey(key)
  const put = (body: Uint8Array) =>
    requests.send(`object ${JSON.stringify(key)}`, {
      operation: 'put',
      method: 'PUT',
      path,
      headers: { 'if-none-match': '*' },
      body,
    })
  const racers = Array.from({ length: RACERS }, (_, i) => put(new Uint8Array([i])))
  const settled = await Promise.allSettled(racers)
  const failed = settled.find((result) => result.status === 'rejected')
  const last = failed === undefined ? await put(new Uint8Array([RACERS])) : null
  await requests.send(`object ${JSON.stringify(key)}`, { operation: 'delete', method: 'DELETE', path })
  if (failed !== undefined) throw failed.reason
  const won = settled.filter((result) => result.status === 'fulfilled' && result.value.answer.status !== 412)
  if (won.length > 1 || last?.answer.status !== 412)
    throw new TidemarkError(
      'E_CONFIG',
      `the object store at ${where.url} ignores If-None-Match: two writers would overwrite each other's commits; use one that knows conditional puts, like AWS S3, MinIO or versitygw`,
      { field: 'lake.url' },
    )
}
