import { describeError } from '../../schemas/errors.ts'

/** What was started, to be closed in the reverse order: what depends on others goes before them. */
export class Closing {
  readonly #parts: { readonly name: string; close(): Promise<void> }[] = []
  readonly #logLine: (line: string) => void

  constructor(logLine: (line: string) => void) {
    this.#logLine = logLine
  }

  add(name: string, close: () => Promise<void>): void {
    this.#parts.push({ name, close })
  }

  /** The part that is being closed, for the message when closing takes too long. */
  current(): string | null {
    return this.#parts.at(-1)?.name ?? null
  }

  /** Closes everything; a part that fails does not keep the others open. Resolves with whether all went well. */
  async close(): Promise<boolean> {
    let well = true
    for (let part = this.#parts.at(-1); part !== undefined; part = this.#parts.at(-1)) {
      try {
        await part.close()
      } catch (error) {
        well = false
        this.#logLine(`${part.name} did not close cleanly: ${describeError(error)}`)
      }
      this.#parts.pop()
    }
    return well
  }
}
