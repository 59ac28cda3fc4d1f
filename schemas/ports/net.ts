/** Byte streams between processes, as far as agents and collectors need them. */
export interface Socket {
  readonly remoteAddress: string
  /** Queues bytes; false when the peer reads too slowly: wait for `onDrain`. */
  write(bytes: Uint8Array | string): boolean
  /** Bytes queued and not yet taken by the peer's side. */
  pendingBytes(): number
  /** Sends what is queued, then closes this side in order. */
  end(): void
  /** Closes at once; what is queued may be lost. */
  destroy(): void
  /** Stops and resumes delivery of data: back-pressure. */
  pause(): void
  resume(): void
  /** Registers handlers, once, before any event is delivered. */
  handle(handlers: SocketHandlers): void
}

export interface SocketHandlers {
  /** `bytes` may be looked at during the call alone: their memory is used again. */
  data(bytes: Uint8Array): void
  /** The peer closed its side in order. */
  end(): void
  drain(): void
  /** The connection is gone; called exactly once, last. `reason` is empty after an orderly close. */
  close(reason: string): void
}

export interface Net {
  /** Listens; port 0 takes a free one. Throws `E_LISTEN`. */
  listen(host: string, port: number, accept: (socket: Socket) => void): Promise<Listener>
  /** Throws `E_CONNECT`. */
  connect(host: string, port: number): Promise<Socket>
}

export interface Listener {
  readonly host: string
  readonly port: number
  /** Stops accepting; open connections live on. */
  close(): Promise<void>
}
