import { X509Certificate } from 'node:crypto'
import net from 'node:net'
import tls from 'node:tls'
import { TidemarkError } from '../../schemas/errors.ts'
import { Transport } from './transport.ts'

/** What a listener needs to speak TLS. */
export interface ListenTls {
  /** PEM: the certificate, then those between it and its CA. */
  readonly cert: Uint8Array
  /** PEM. */
  readonly key: Uint8Array
  /** A handshake that takes longer is given up. */
  readonly handshakeMs: number
  /** What a peer that speaks no TLS is told before it is disconnected. */
  readonly toPlainText: string
}

/** Whose certificate is trusted when connecting. */
export type ConnectTls =
  | { readonly trust: 'system' }
  | { readonly trust: 'ca'; readonly ca: Buffer }
  /** Exactly this certificate, whatever it says. */
  | { readonly trust: 'certificate'; readonly cert: Buffer }

/** A TLS socket and the TCP connection below it. */
export interface Secured {
  readonly secure: tls.TLSSocket
  readonly raw: net.Socket
}

/** A TLS record that begins a handshake. */
const HANDSHAKE = 0x16
/** A handshake that takes longer is given up by the connecting side. */
const HANDSHAKE_MS_MAX = 10_000
/** How long a peer that speaks no TLS may take to read that it should. */
const PLAIN_TEXT_MS_MAX = 1_000

/** Secures each connection that is accepted. */
export interface Acceptor {
  secure(raw: net.Socket): Secured
  /** Those from now on get this certificate. Throws when certificate and key are no pair. */
  renew(pair: Pick<ListenTls, 'cert' | 'key'>): void
}

/** Throws when certificate and key are no pair. */
export function acceptorOf(options: ListenTls): Acceptor {
  let context = contextOf(options)
  return {
    secure: (raw) => secureAccepted(raw, options, context),
    renew(pair) {
      context = contextOf(pair)
    },
  }
}

/** They may have come from another thread, as plain bytes. */
function contextOf({ cert, key }: Pick<ListenTls, 'cert' | 'key'>): tls.SecureContext {
  return tls.createSecureContext({ cert: Buffer.from(cert), key: Buffer.from(key) })
}

/** The listening side. The socket can be used at once: what is written waits for the handshake. */
function secureAccepted(raw: net.Socket, options: ListenTls, context: tls.SecureContext): Secured {
  const transport = new Transport(raw, (bytes) => {
    if (bytes[0] === HANDSHAKE) return true
    dismiss(raw, options.toPlainText)
    // Destroyed at once, while its first bytes arrive, it would leave a handle with which no worker thread can end.
    raw.once('close', () => secure.destroy(new Error('the peer speaks no TLS')))
    return false
  })
  const secure = new tls.TLSSocket(transport, { isServer: true, secureContext: context })
  secure.disableRenegotiation()
  endOnlyByClose(secure, transport)
  const timer = setTimeout(
    () => secure.destroy(new Error(`no TLS handshake within ${options.handshakeMs / 1_000} s`)),
    options.handshakeMs,
  )
  secure.once('secure', () => clearTimeout(timer))
  secure.once('close', () => clearTimeout(timer))
  return { secure, raw }
}

/** Says `text` to a peer whose bytes mean nothing here, and disconnects. */
function dismiss(raw: net.Socket, text: string): void {
  raw.end(text)
  // Read on: closing with bytes unread would reset the connection before the peer has read why.
  raw.resume()
  const timer = setTimeout(() => raw.destroy(), PLAIN_TEXT_MS_MAX)
  raw.once('close', () => clearTimeout(timer))
}

/** The connecting side, once the peer has shown the certificate that it should. Throws `E_TLS`, `E_CERTIFICATE`, `E_CONNECT`. */
export function secureConnected(
  raw: net.Socket,
  host: string,
  port: number,
  trusted: ConnectTls,
): Promise<Secured> {
  return new Promise((resolve, reject) => {
    const transport = new Transport(raw)
    const secure = tls.connect({
      socket: transport,
      host,
      servername: net.isIP(host) ? '' : host,
      ca: rootsOf(trusted),
      rejectUnauthorized: trusted.trust !== 'certificate',
    })
    endOnlyByClose(secure, transport)
    const timer = setTimeout(
      () => secure.destroy(new Error(`no TLS handshake within ${HANDSHAKE_MS_MAX / 1_000} s`)),
      HANDSHAKE_MS_MAX,
    )
    const fail = (error: Error) => {
      clearTimeout(timer)
      reject(handshakeError(`${host}:${port}`, error))
    }
    secure.once('error', fail)
    secure.once('secureConnect', () => {
      clearTimeout(timer)
      secure.off('error', fail)
      secure.on('error', () => {})
      if (trusted.trust === 'certificate' && !isCertificate(secure, trusted.cert)) {
        secure.destroy()
        reject(new TidemarkError('E_CERTIFICATE', `${host}:${port} has another certificate than configured`))
      } else resolve({ secure, raw })
    })
  })
}

/** PEM of the CAs that are trusted; those of the system, or where it has none, those that came with Node. */
function rootsOf(trusted: ConnectTls): (string | Buffer)[] {
  if (trusted.trust === 'ca') return [trusted.ca]
  if (trusted.trust === 'certificate') return []
  const system = tls.getCACertificates('system')
  return [
    ...(system.length > 0 ? system : tls.getCACertificates('bundled')),
    ...tls.getCACertificates('extra'),
  ]
}

function isCertificate(secure: tls.TLSSocket, pem: Buffer): boolean {
  const shown = secure.getPeerX509Certificate()
  return shown?.raw.equals(new X509Certificate(pem).raw) === true
}

/**
 * Lets a TLS socket end only when the peer announced it by `close_notify`. A TCP connection that ends without was cut off, by a
 * fault or by somebody in between, so it counts as broken.
 */
function endOnlyByClose(secure: tls.TLSSocket, transport: Transport): void {
  const push = secure.push.bind(secure)
  let announced = false
  secure.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null && !announced) {
      if (transport.readableEnded) {
        secure.destroy(new Error('the connection was cut off'))
        return false
      }
      announced = true
    }
    return push(chunk, encoding)
  }
  transport.on('error', (error) => secure.destroy(error))
}

const NO_TLS = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
])
const UNKNOWN_CA = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
])

/** A handshake that failed, in words that name the fix. */
function handshakeError(where: string, error: NodeJS.ErrnoException): TidemarkError {
  const cause = { cause: error }
  const code = error.code ?? ''
  const certificate = (what: string) =>
    new TidemarkError('E_CERTIFICATE', `the certificate of ${where} ${what}`, cause)
  if (NO_TLS.has(code)) return new TidemarkError('E_TLS', `what listens on ${where} speaks no TLS`, cause)
  if (UNKNOWN_CA.has(code))
    return certificate('is signed by nobody who is trusted here; name its CA with --ca FILE')
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return certificate(`is for another name: ${error.message}`)
  if (code === 'CERT_HAS_EXPIRED') return certificate('has expired')
  if (code === 'CERT_NOT_YET_VALID') return certificate('is not valid yet')
  if (code.startsWith('CERT_') || code === 'INVALID_CA') return certificate(`is wrong: ${error.message}`)
  return new TidemarkError('E_CONNECT', `cannot connect to ${where}: ${error.message}`, cause)
}
