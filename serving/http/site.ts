import type { FastifyRequest } from 'fastify'
import { TidemarkError } from '../../schemas/errors.ts'
import { isLoopback } from '../../schemas/loopback.ts'

/**
 * What keeps pages of other sites out, which a browser on this machine may show:
 *
 *     read by a name that leads here (DNS rebinding) ─▶ Host is none of ours ─▶ 421
 *     sent to here from there                        ─▶ Sec-Fetch-Site, Origin ─▶ 403
 *
 * A request with a valid token is from no such page: a browser sends it to no other name.
 */

/** Host and port of a `Host` header: an IPv6 address in brackets, or anything else. */
const HOST = /^(?:(\[[0-9a-fA-F:.]+\])|([^\s:@/[\]]+))(?::\d{1,5})?$/
/** Four numbers are an address to every browser, and none of the domain name system. */
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/

/**
 * Whether `Host` names this server: an address, which no one can lead elsewhere, a name of this machine alone, or one of
 * `names`, which are in lower case. Without the header it is no browser that asks.
 */
export function isOwnHost(host: string | undefined, names: readonly string[]): boolean {
  if (host === undefined) return true
  const match = HOST.exec(host)
  if (match === null) return false
  const [, ipv6, other = ''] = match
  if (ipv6 !== undefined) return URL.canParse(`http://${ipv6}`)
  const name = other.toLowerCase().replace(/\.$/, '')
  return IPV4.test(name) || isLoopback(name) || name.endsWith('.localhost') || names.includes(name)
}

/** Which of several names is meant whoever stands in between may see otherwise (RFC 9112, 3.2). Throws `E_PARAMETER`. */
export function refuseSeveralHosts({ raw }: Pick<FastifyRequest, 'raw'>): void {
  const isHost = (text: string, i: number) => i % 2 === 0 && text.toLowerCase() === 'host'
  const { length } = raw.rawHeaders.filter(isHost)
  if (length > 1) throw new TidemarkError('E_PARAMETER', `the request has ${length} Hosts`, { field: 'Host' })
}

/** Throws `E_MISDIRECTED`, which names the setting. */
export function refuseForeignHost(
  { headers: { host }, raw }: FastifyRequest,
  names: readonly string[],
): void {
  if (host === undefined && raw.httpVersion === '1.1')
    throw new TidemarkError('E_PARAMETER', 'the request has no Host, which HTTP/1.1 demands', {
      field: 'Host',
    })
  if (isOwnHost(host, names)) return
  throw new TidemarkError(
    'E_MISDIRECTED',
    `${JSON.stringify(host)} is no name of this server; serving.hosts lists those that are`,
  )
}

/**
 * Whether a request was made by this site's own pages, or by no browser. `Sec-Fetch-Site` says it where the browser sends
 * it, else `Origin`, which it sends with everything that is no plain reading.
 */
export function isOwnSite({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  const { 'sec-fetch-site': site, origin, host } = headers
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  if (origin === undefined) return true
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()
}

/** Throws `E_SITE`. */
export function refuseForeignSite(request: FastifyRequest): void {
  if (!isOwnSite(request))
    throw new TidemarkError('E_SITE', 'a page of another site may not start or stop anything here')
}
