import { once } from 'node:events'
import { request } from 'node:http'
import net from 'node:net'
import { secureConnected } from './tls.ts'

type Asked = Pick<RequestInit, 'method' | 'body' | 'signal'> & { readonly headers?: Record<string, string> }

/** `fetch` over TLS from a server that shows exactly this certificate, in PEM, whatever name or date stands in it. */
export function pinnedFetch(certificate: string) {
  return async (url: string, { method = 'GET', headers = {}, body, signal }: Asked) => {
    const { hostname, port, pathname, search, host } = new URL(url)
    const name = hostname.replace(/^\[|\]$/g, '')
    const raw = net.connect(Number(port || 443), name)
    signal?.addEventListener('abort', () => raw.destroy(signal.reason), { once: true })
    await once(raw, 'connect')
    const pinned = { trust: 'certificate', cert: Buffer.from(certificate) } as const
    const { secure } = await secureConnected(raw, name, Number(port), pinned)
    const asked = request({
      method: method!,
      path: pathname + search,
      headers: { ...headers, host, connection: 'close' },
      createConnection: () => secure,
    })
    asked.end(typeof body === 'string' ? body : undefined)
    const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage]
    const text = Buffer.concat(await response.toArray()).toString()
    secure.destroy()
    const status = response.statusCode!
    return { ok: status >= 200 && status < 300, status, json: async () => JSON.parse(text) as unknown }
  }
}
