import { TidemarkError } from '../../schemas/errors.ts'
import { sendProblem } from './problem.ts'
import { type HttpConfig, type HttpServer, listening, plainApp } from './server.ts'

/**
 * What answers while nothing can be started: `/healthz` that the process lives, `/readyz` why it is not ready, anything else that it
 * has to wait. Throws `E_LISTEN`.
 */
export function startWaitingHttp(config: HttpConfig, reason: string): Promise<HttpServer> {
  const app = plainApp(config.tls)
  app.get('/healthz', async () => ({ ok: true }))
  app.get('/readyz', async (_request, reply) => reply.code(503).send({ ready: false, reasons: [reason] }))
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, new TidemarkError('E_DISK_FULL', reason)))
  return listening(app, config)
}
