import type net from 'node:net'
import { Duplex } from 'node:stream'

/**
 * The encrypted bytes of a TCP connection, as a TLS socket reads and writes them. It stands between the two so that the end of the
 * TCP connection can be told from the end that TLS itself announces: Node reports both alike.
 */
export class Transport extends Duplex {
  readonly #raw: net.Socket
  #first: ((bytes: Buffer) => boolean) | null

  /** `first` looks at the bytes that come first; when it says false, nothing is read and `raw` is left to the caller. */
  constructor(raw: net.Socket, first: ((bytes: Buffer) => boolean) | null = null) {
    super({ allowHalfOpen: true })
    this.#raw = raw
    this.#first = first
    raw.on('data', this.#data)
    raw.on('end', this.#end)
    raw.on('error', (error) => this.destroy(error))
    raw.on('close', () => this.destroy())
  }

  #data = (bytes: Buffer) => {
    const first = this.#first
    this.#first = null
    if (first !== null && !first(bytes)) {
      this.#raw.off('data', this.#data).off('end', this.#end)
      return
    }
    if (!this.push(bytes)) this.#raw.pause()
  }

  #end = () => void this.push(null)

  override _read(): void {
    this.#raw.resume()
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#raw.write(bytes, done)
  }

  override _writev(parts: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#raw.write(
      parts.length === 1 ? parts[0]!.chunk : Buffer.concat(parts.map(({ chunk }) => chunk)),
      done,
    )
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#raw.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // What was not closed in order is reset, so that the peer does not take it for an orderly end.
    if (this.#raw.listeners('data').includes(this.#data)) {
      if (this.#raw.writableFinished) this.#raw.destroy()
      else this.#raw.resetAndDestroy()
    }
    done(error)
  }
}
