import { describeError, ERRORS, type ErrorCode, TidemarkError } from './errors.ts'
import type { Channel } from './ports/channel.ts'

/** What goes over the channel: a call, which wants an answer when it has a number, or the answer to one. */
type Message =
  | { readonly call: string; readonly id: number | null; readonly argument: unknown }
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly error: SentError }

interface SentError {
  readonly code: string | null
  readonly message: string
  /** Of an error of the list. */
  readonly field?: string | undefined
  readonly hint?: string
}

/** An argument or answer whose buffers are handed over instead of copied. */
export class Transferred {
  readonly value: unknown
  readonly buffers: readonly ArrayBuffer[]

  constructor(value: unknown, buffers: readonly ArrayBuffer[]) {
    this.value = value
    this.buffers = buffers
  }
}

type Handler = (argument: never) => unknown

/** Calls from one side of a channel to the other, both ways. Errors of the list arrive as such, others with their code. */
export class Calls {
  readonly #channel: Channel
  readonly #handlers = new Map<string, Handler>()
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  #nextId = 1
  #ended: Error | null = null

  constructor(channel: Channel) {
    this.#channel = channel
    channel.receive((message) => this.#received(message as Message))
  }

  /** Answers the calls of that name; registered before they come. */
  on(name: string, handler: Handler): void {
    this.#handlers.set(name, handler)
  }

  call<T>(name: string, argument: unknown = null): Promise<T> {
    if (this.#ended !== null) return Promise.reject(this.#ended)
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      const { value, buffers } = transferred(argument)
      this.#channel.post({ call: name, id, argument: value } satisfies Message, buffers)
    })
  }

  /** A call that nobody waits for. */
  tell(name: string, argument: unknown = null): void {
    if (this.#ended === null) this.#channel.post({ call: name, id: null, argument } satisfies Message)
  }

  /** The other side is gone: calls that wait or come later fail. */
  end(error: Error): void {
    this.#ended = error
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  #received(message: Message): void {
    if ('call' in message) {
      void this.#handle(message.call, message.id, message.argument)
      return
    }
    const waiting = this.#waiting.get(message.answer)
    this.#waiting.delete(message.answer)
    if (!('error' in message)) waiting?.resolve(message.value)
    else waiting?.reject(errorOf(message.error))
  }

  async #handle(name: string, id: number | null, argument: unknown): Promise<void> {
    const handler = this.#handlers.get(name) as ((argument: unknown) => unknown) | undefined
    if (handler === undefined) throw new Error(`nobody answers ${name}`)
    if (id === null) {
      handler(argument)
      return
    }
    try {
      const { value, buffers } = transferred(await handler(argument))
      this.#channel.post({ answer: id, value } satisfies Message, buffers)
    } catch (error) {
      this.#channel.post({ answer: id, error: sent(error) } satisfies Message)
    }
  }
}

function transferred(value: unknown): Pick<Transferred, 'value' | 'buffers'> {
  return value instanceof Transferred ? value : { value, buffers: [] }
}

function sent(error: unknown): SentError {
  if (!(error instanceof Error)) return { code: null, message: describeError(error) }
  if (error instanceof TidemarkError) {
    const { code, message, field, hint } = error
    return { code, message, field, hint }
  }
  const { code } = error as { code?: unknown }
  return { code: typeof code === 'string' ? code : null, message: error.message }
}

function errorOf({ code, message, field, hint }: SentError): Error {
  if (code === null) return new Error(message)
  if (code in ERRORS)
    return new TidemarkError(code as ErrorCode, message, {
      ...(field !== undefined && { field }),
      ...(hint !== undefined && { hint }),
    })
  return Object.assign(new Error(message), { code })
}
