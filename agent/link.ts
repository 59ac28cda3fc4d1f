import { TidemarkError } from '../schemas/errors.ts'
import type { Net, Socket } from '../schemas/ports/net.ts'

/** What a collector says to its sender. */
export type Answer =
  | { readonly kind: 'welcome'; readonly seq: number }
  | { readonly kind: 'ack'; readonly seq: number }
  | { readonly kind: 'error'; readonly code: string; readonly message: string }

/** The longest answer line; a peer that sends a longer one is no collector. */
const ANSWER_CHARACTERS_MAX = 65_536

/** One connection to a collector: answers as they come, and a promise of its end. */
export interface Link {
  readonly socket: Socket
  /** Resolves when the connection is gone, however that came. */
  readonly gone: Promise<void>
}

/**
 * Connects; `receive` is called with every answer. A peer that says anything else is disconnected, and `stranger` called.
 * Throws `E_CONNECT`, also when `signal` aborts first.
 */
export async function openLink(
  net: Net,
  address: { readonly host: string; readonly port: number },
  signal: AbortSignal,
  on: { receive(answer: Answer): void; stranger(): void },
): Promise<Link> {
  const socket = await connectUnless(net, address, signal)
  let text = ''
  const decoder = new TextDecoder()
  const gone = new Promise<void>((resolve) => {
    socket.handle({
      data(bytes) {
        text += decoder.decode(bytes, { stream: true })
        const lines = text.split('\n')
        text = lines.pop()!
        for (const line of lines) {
          const answer = parseAnswer(line)
          if (answer === null) return refuse()
          on.receive(answer)
        }
        if (text.length > ANSWER_CHARACTERS_MAX) refuse()
      },
      end: () => socket.end(),
      drain: () => {},
      close: () => resolve(),
    })
  })
  function refuse() {
    text = ''
    on.stranger()
    socket.destroy()
  }
  return { socket, gone }
}

/** Connects. An attempt can take minutes when nothing answers at all; one that outlives its agent is dropped. */
function connectUnless(
  net: Net,
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new TidemarkError('E_CONNECT', 'the agent is closing'))
    signal.addEventListener('abort', stop, { once: true })
    net.connect(host, port).then((socket) => {
      signal.removeEventListener('abort', stop)
      if (signal.aborted) socket.destroy()
      else resolve(socket)
    }, reject)
    if (signal.aborted) stop()
  })
}

/** Returns the answer in a line; null when it is none. */
export function parseAnswer(line: string): Answer | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { welcome, seq, ack, error } = value as Record<string, unknown>
  if (welcome === 1 && isSeq(seq)) return { kind: 'welcome', seq }
  if (isSeq(ack)) return { kind: 'ack', seq: ack }
  if (typeof error !== 'object' || error === null) return null
  const { code, message } = error as Record<string, unknown>
  return { kind: 'error', code: String(code), message: String(message) }
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
