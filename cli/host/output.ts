import { fstatSync, writeSync } from 'node:fs'
import type { Writable } from 'node:stream'

/**
 * Standard output or standard error. What cannot be written is lost: it ends nothing, blocks nothing (but for a terminal that a
 * person has stopped) and, with a limit, takes no more memory than that.
 */
export interface Output {
  write(text: string): void
  /** Resolves once all that was written has been taken, or never will be. */
  drained(): Promise<void>
  /** Whether what is written from now on reaches anybody. */
  isTaken(): boolean
  /** Why something was lost, null when nothing was. A reader that went away has read all it wanted. */
  failure(): NodeJS.ErrnoException | null
}

/** `waitingMax` characters at most wait for a reader that is slow; by default everything does. */
export function outputOf(
  stream: NodeJS.WriteStream & { readonly fd: number },
  waitingMax = Number.POSITIVE_INFINITY,
): Output {
  // Node itself writes to it too, such as warnings.
  stream.on('error', () => {})
  return isFile(stream) ? fileOutput(stream.fd) : readerOutput(stream, waitingMax)
}

function isFile(stream: NodeJS.WriteStream & { readonly fd: number }): boolean {
  if (stream.isTTY) return false
  const found = fstatSync(stream.fd)
  return found.isFile() || found.isCharacterDevice()
}

/**
 * To a file. Node's own stream for files is closed for good by the first write that fails; a disk that was full may have
 * room again.
 */
export function fileOutput(fd: number): Output {
  let failure: NodeJS.ErrnoException | null = null
  let torn = false

  function writeAll(text: string) {
    const bytes = Buffer.from(text)
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(fd, bytes, written)
      torn = written < bytes.length
    }
  }

  return {
    write(text) {
      try {
        // What a full disk cut off stays a line of its own.
        if (torn) writeAll('\n')
        writeAll(text)
      } catch (error) {
        failure = error as NodeJS.ErrnoException
      }
    },
    drained: async () => {},
    isTaken: () => failure === null,
    failure: () => failure,
  }
}

/** To a terminal, or to whatever reads the other end of a pipe or socket. */
export function readerOutput(stream: Writable, waitingMax: number): Output {
  let failure: NodeJS.ErrnoException | null = null
  let lost = 0
  let isGone = false
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') failure = error
  })
  return {
    write(text) {
      if (stream.destroyed) return
      if (stream.writableLength > waitingMax) {
        lost++
        return
      }
      if (lost > 0) stream.write(`${lost} lines of this log were lost: they were not read\n`)
      lost = 0
      stream.write(text, (error) => {
        isGone ||= error != null
      })
    },
    drained: () =>
      new Promise((resolve) => {
        if (stream.destroyed) resolve()
        else stream.write('', () => resolve())
      }),
    isTaken: () => !isGone && !stream.destroyed,
    failure: () => failure,
  }
}
