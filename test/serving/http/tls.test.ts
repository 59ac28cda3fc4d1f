import { once } from 'node:events'
import { connect } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { expect, test } from 'vitest'
import { listening } from '../../../serving/http/server.ts'
import { makeCa } from '../../cli/host/certificates.ts'
import { sendRaw } from './raw.ts'
import { apiRig } from './rig.ts'

/** The name in the certificate that a new connection is shown, and the version of TLS. */
async function shown(port: number, options = {}) {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  const name = socket.getPeerCertificate().subjectaltname
  socket.destroy()
  return name
}

test('a renewed certificate is shown to whoever connects from then on; half of one changes nothing', async () => {
  const ca = await makeCa()
  const [old, next] = [await ca.issue({ dns: ['old.example'] }), await ca.issue({ dns: ['new.example'] })]
  await using rig = await apiRig({ tls: old })
  const app = rig.app as unknown as FastifyInstance
  const http = await listening(app, { host: '127.0.0.1', port: 0, tls: old })
  expect(http.url).toMatch(/^https:/)
  const port = Number(new URL(http.url).port)
  expect(await shown(port)).toBe('DNS:old.example')
  expect(() => http.renew({ cert: next.cert, key: old.key })).toThrow()
  expect(await shown(port)).toBe('DNS:old.example')
  http.renew(next)
  expect(await shown(port)).toBe('DNS:new.example')
  await expect(shown(port, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' })).rejects.toThrow()
})

test('who speaks no TLS is disconnected, and learns nothing', async () => {
  const tls = await (await makeCa()).issue({ dns: ['old.example'] })
  await using rig = await apiRig({ tls })
  const app = rig.app as unknown as FastifyInstance
  const { url } = await listening(app, { host: '127.0.0.1', port: 0, tls })
  const answer = await sendRaw(
    Number(new URL(url).port),
    'GET /v1/services HTTP/1.1\r\nHost: localhost\r\n\r\n',
  )
  expect([answer.status === 200, answer.body]).toEqual([false, expect.not.stringContaining('checkout')])
})
