import { TidemarkError } from '../../schemas/errors.ts'
import { metricsText } from '../../serving/http/metrics-text.ts'
import { sendProblem } from '../../serving/http/problem.ts'
import { type HttpConfig, type HttpServer, listening, plainApp } from '../../serving/http/server.ts'

export interface HealthDeps {
  /** Why the layer does not work, without paths of the machine; empty when it does. */
  reasons(): Promise<readonly string[]>
  /** Its state and figures; null before it has started. */
  status(): Promise<object | null>
}

/**
 * What tells others how a layer in a process of its own is: `/healthz` that the process lives, `/readyz` whether the layer works and
 * why not, `/metrics` its figures. All of it is open to anyone who reaches the
 * address: it names no services, hosts or paths. Throws `E_LISTEN`.
 */
export function startHealth(config: HttpConfig, { reasons, status }: HealthDeps): Promise<HttpServer> {
  const app = plainApp(config.tls)
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, error))
  app.get('/healthz', async () => ({ ok: true }))
  app.get('/readyz', async (_request, reply) => {
    const why = await reasons()
    return reply.code(why.length === 0 ? 200 : 503).send({ ready: why.length === 0, reasons: [...why] })
  })
  app.get('/metrics', async (_request, reply) => {
    const ready = (await reasons()).length === 0 ? 1 : 0
    const text = metricsText('tidemark', { ready, ...(await status()) })
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(text)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]
    return sendProblem(reply, new TidemarkError('E_NOT_FOUND', `there is no ${request.method} ${path}`))
  })
  return listening(app, config)
}
