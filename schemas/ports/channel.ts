/**
 * Messages between two threads, or what stands for them in a test. Implementers must honour: messages arrive in the order
 * in which they were posted, as copies; buffers in `transfer` are handed over and gone on this side.
 */
export interface Channel {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void
  /** Registers the receiver, once, before any message is delivered. */
  receive(fn: (message: unknown) => void): void
}
