/** Requests over HTTP, as far as an object store needs them. */
export interface HttpRequest {
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: Uint8Array | null
}

export interface HttpAnswer {
  readonly status: number
  /** Null when absent; names in any case. */
  header(name: string): string | null
  readonly body: Uint8Array
}

/** Implementers must honour: redirections are answers, no request is sent twice, and a body cut short is an error. */
export interface Http {
  /**
   * Sends a request and reads the whole answer. Throws `E_CONNECT` when nothing can have reached the server; any other error
   * leaves it open what the server did. `signal` ends it at once.
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>
}
