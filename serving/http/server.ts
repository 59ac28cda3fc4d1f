import type { Server as TlsServer } from 'node:tls'
import swagger from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import { shown } from '../../schemas/shown.ts'
import type { Answers } from '../answers.ts'
import { guard, isPage, SECURITY } from './access.ts'
import type { App, HttpDeps } from './app.ts'
import { compressAnswers } from './compress.ts'
import { allowOrigins } from './cors.ts'
import { docsRoutes } from './docs/routes.ts'
import { endInOrder } from './ending.ts'
import { sendHeaders, setHeaders } from './headers.ts'
import { refuseMalformed } from './malformed.ts'
import { PathMethods } from './methods.ts'
import { isPagePath, pages } from './pages.ts'
import { problemOf, sendProblem } from './problem.ts'
import { RequestRate } from './rate.ts'
import { recordActs } from './record-acts.ts'
import { erasureRoutes } from './routes/erasures.ts'
import { liveRoutes } from './routes/live.ts'
import { operationRoutes } from './routes/operation.ts'
import { queryRoutes } from './routes/query.ts'
import { senderRoutes } from './routes/senders.ts'
import { viewRoutes } from './routes/views.ts'
import { Identities } from './session/identity.ts'
import { signInRoutes } from './session/sign-in.ts'
import { validatorCompiler } from './validate.ts'

export interface HttpConfig {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Certificate and key in PEM: TLS is spoken; null or absent: not. */
  readonly tls?: HttpTls | null
}

export interface HttpTls {
  readonly cert: Uint8Array
  readonly key: Uint8Array
}

export interface HttpServer {
  /** Without a slash at its end. */
  readonly url: string
  /** Takes another certificate for further connections. Throws when certificate and key are no pair. */
  renew(tls: HttpTls): void
  close(): Promise<void>
}

/** A request body is a handful of options. */
const BODY_BYTES_MAX = 64 << 10
/** A request must have arrived within this time; looked at every half of it. */
const REQUEST_MS_MAX = 20_000
/** Connections open at once; a further one is closed. Beside all followers of newest cells others have room. */
const CONNECTIONS_MAX = 2_000

/** A server without any routes. At its end connections are cut at once; `endsInOrder`: those that wait for no answer. */
export function plainApp(tls: HttpTls | null = null, { endsInOrder = false } = {}): FastifyInstance {
  // The guard refuses a request without a Host, in the words of this API.
  const node = { requireHostHeader: false, connectionsCheckingInterval: REQUEST_MS_MAX / 2 }
  const app = Fastify({
    requestTimeout: REQUEST_MS_MAX,
    bodyLimit: BODY_BYTES_MAX,
    forceCloseConnections: endsInOrder ? 'idle' : true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    routerOptions: { maxParamLength: 1_024 },
    ...(tls === null ? { http: node } : { https: { ...node, ...pem(tls), minVersion: 'TLSv1.2' } }),
    clientErrorHandler: refuseMalformed,
    // A path that cannot be decoded is refused like anything else.
    frameworkErrors: (error, _request, reply) => {
      setHeaders(reply)
      sendProblem(reply, error)
    },
  } as FastifyServerOptions)
  sendHeaders(app)
  app.server.maxConnections = CONNECTIONS_MAX
  return app
}

/** They may have come as plain bytes. */
const pem = ({ cert, key }: HttpTls) => ({ cert: Buffer.from(cert), key: Buffer.from(key) })

/** The API and the pages, not yet listening. */
export function makeApp(deps: HttpDeps, tls: HttpTls | null = null) {
  const app = plainApp(tls, { endsInOrder: true })
    .withTypeProvider<TypeBoxTypeProvider>()
    .setValidatorCompiler(validatorCompiler)
  const methods = new PathMethods(app as unknown as FastifyInstance)
  const refuseUnknown = (request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split('?')[0]!
    const allowed = methods.of(path).join(', ')
    const refuse = () => sendProblem(reply, noSuchPath(request, deps.answers))
    if (allowed === '' && isPage(request)) return noSuchPage(reply, refuse)
    // A file that is not there has a route nevertheless.
    if (allowed === '' || methods.of(path).includes(request.method)) return refuse()
    const error = new TidemarkError('E_METHOD', `${shown(path)} takes ${allowed}, not ${request.method}`)
    return sendProblem(reply.header('allow', allowed), error)
  }
  app.setNotFoundHandler(refuseUnknown)
  app.setErrorHandler((error, request, reply) => {
    const { status } = problemOf(error)
    // A body that nobody reads is not what is wrong.
    if (request.is404 && status < 500 && !(error instanceof TidemarkError))
      return refuseUnknown(request as unknown as FastifyRequest, reply as unknown as FastifyReply)
    if (status === 500) deps.logLine(`http: ${describeError(error)}`)
    // Faults of the machine may name its files.
    return sendProblem(reply as unknown as FastifyReply, error, status >= 500 ? deps.hidePaths : undefined)
  })
  // Node looks at what has sent no whole head; a body may come as slowly as its sender likes.
  app.addHook('onRequest', async ({ raw }) => {
    const { 'content-length': length, 'transfer-encoding': coding } = raw.headers
    if (length === undefined && coding === undefined) return
    const cancel = deps.clock.after(REQUEST_MS_MAX, () => {
      if (!raw.complete) raw.destroy()
    })
    raw.once('close', cancel)
  })
  allowOrigins(app as unknown as FastifyInstance, deps.cors ?? [])
  const identities = deps.access === undefined ? null : new Identities(deps.access, deps)
  const rate = new RequestRate(deps.clock, deps.requestsMax ?? null)
  compressAnswers(app as unknown as FastifyInstance)
  guard(app as unknown as FastifyInstance, { identities, rate, clock: deps.clock, hosts: deps.hosts })
  const { audit, logLine } = deps
  if (audit !== undefined) recordActs(app as unknown as FastifyInstance, { audit, identities, logLine })
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Tidemark', version: deps.version, description: 'Metrics history, answered exactly' },
      ...SECURITY,
    },
    transformObject: (document) =>
      withOptionalBodies(('openapiObject' in document ? document.openapiObject : {}) as OpenApi) as never,
  })
  app.register(async (scope) => {
    viewRoutes(scope as unknown as App, deps)
    liveRoutes(scope as unknown as App, deps)
    operationRoutes(scope as unknown as App, deps, rate)
    if (deps.senders !== undefined) senderRoutes(scope as unknown as App, deps.senders, deps.clock)
    if (deps.erasures !== undefined) erasureRoutes(scope as unknown as App, deps.erasures, identities)
    docsRoutes(scope as unknown as FastifyInstance)
    if (deps.sql !== undefined) queryRoutes(scope as unknown as App, deps.sql)
  })
  if (identities !== null) app.register(async (scope) => signInRoutes(scope, identities))
  const noSuchPage = pages(app as unknown as FastifyInstance, { folder: deps.pages, clock: deps.clock })
  return app
}

/** Says of bodies that may be null that they may be left out, for which schemas of bodies have no word. */
function withOptionalBodies(document: OpenApi): OpenApi {
  for (const path of Object.values(document.paths ?? {}))
    for (const operation of Object.values(path)) {
      const body = operation.requestBody
      const { anyOf = [] } = body?.content?.['application/json']?.schema ?? {}
      if (body !== undefined && anyOf.some(({ type }) => type === 'null')) body.required = false
    }
  return document
}

interface OpenApi {
  readonly paths?: {
    readonly [path: string]: {
      readonly [method: string]: {
        readonly requestBody?: {
          required?: boolean
          readonly content?: {
            readonly [type: string]: { readonly schema?: { readonly anyOf?: readonly { type?: string }[] } }
          }
        }
      }
    }
  }
}

/** What is said of a path that there is not: of a view's, that there is no such view. */
function noSuchPath({ method, url }: FastifyRequest, answers: Answers): TidemarkError {
  const path = url.split('?')[0]!
  const view = /^\/v1\/views\/([^/]+)/.exec(path)?.[1]
  if (view !== undefined && !answers.views().some((one) => one.view.name === view))
    return new TidemarkError('E_NOT_FOUND', `there is no view ${shown(view)}`, {
      field: 'view',
      hint: 'see GET /v1/views',
    })
  if (isPagePath(path))
    return new TidemarkError('E_NOT_FOUND', 'the pages are not built', {
      hint: 'npm run pages builds them, as npm ci does; /openapi.json describes the API, which works without them',
    })
  return new TidemarkError('E_NOT_FOUND', `there is no ${method} ${shown(path)}`)
}

/** Starts the HTTP server. Throws `E_LISTEN`. */
export async function startHttp(config: HttpConfig, deps: HttpDeps): Promise<HttpServer> {
  const app = makeApp(deps, config.tls) as unknown as FastifyInstance
  return { ...(await listening(app, config)), close: () => endInOrder(app, deps.clock) }
}

/** Lets a server listen. Throws `E_LISTEN`. */
export async function listening(app: FastifyInstance, config: HttpConfig): Promise<HttpServer> {
  try {
    await app.listen({ host: config.host, port: config.port })
  } catch (error) {
    await app.close()
    const where = `${config.host}:${config.port}`
    throw new TidemarkError('E_LISTEN', `cannot listen on ${where}: ${describeError(error)}`, {
      cause: error,
    })
  }
  const address = app.server.address() as { address: string; port: number; family: string }
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  const scheme = config.tls ? 'https' : 'http'
  return {
    url: `${scheme}://${host}:${address.port}`,
    renew: (tls) => (app.server as unknown as TlsServer).setSecureContext(pem(tls)),
    close: () => app.close(),
  }
}
