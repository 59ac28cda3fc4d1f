import { createInterface } from 'node:readline/promises'

/** Where a question is put and answered. */
interface Terminal {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
}

/** Whether a person can be asked; `isTerminal`: whether errors are shown on a terminal. */
export function isSomebodyThere({ isTerminal }: { readonly isTerminal: boolean }): boolean {
  return isTerminal && process.stdin.isTTY === true
}

/**
 * Asks the person at the terminal. Only `y` and `yes` are a yes: the end of the input (Ctrl-D) is a no. Ctrl-C, which is no signal while a
 * line is read, and `stopped` mean that the command is to stop.
 */
export async function ask(
  question: string,
  stopped: Promise<void>,
  terminal: Terminal = { input: process.stdin, output: process.stderr },
): Promise<'yes' | 'no' | 'stop'> {
  const asking = createInterface({ ...terminal, terminal: true })
  const interrupted = new Promise<void>((resolve) => {
    asking.once('SIGINT', resolve)
  })
  const closed = new Promise<string>((resolve) => {
    asking.once('close', () => resolve(''))
  })
  // It rejects at Ctrl-D, and does nothing where a terminal goes away.
  const answered = asking.question(`${question} [y/N] `).catch(() => '')
  const ended = Promise.race([interrupted, stopped]).then(() => null)
  try {
    const answer = await Promise.race([answered, closed, ended])
    if (answer !== null) return /^y(es)?$/i.test(answer.trim()) ? 'yes' : 'no'
    terminal.output.write('\n')
    return 'stop'
  } finally {
    asking.close()
  }
}
