import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** A process can take a GB of memory in half a second: until the next look it is some 50 MB. */
const LOOK_MS = 20
/** Where a look costs a process. */
const ASK_MS = 150
const KIB = 1_024

/**
 * Calls `beyond` once when the process has more than `bytesMax` of memory; the result ends the watch. The system says how much it is,
 * so that it counts what the process itself does not know of, and also while none of its threads answers: Linux in /proc, others
 * (macOS) by `ps`.
 */
export function watchMemory(
  pid: number,
  bytesMax: number,
  beyond: () => void,
  hasProc = existsSync(`/proc/${pid}/status`),
): () => void {
  let timer: NodeJS.Timeout
  let isOver = false
  const over = () => {
    isOver = true
    clearTimeout(timer)
  }
  const found = (bytes: number | null, nextMs: number, look: () => void) => {
    if (isOver) return
    if (bytes !== null && bytes > bytesMax) {
      over()
      beyond()
    } else timer = setTimeout(look, nextMs)
  }
  const look = () => found(residentBytes(pid), LOOK_MS, look)
  const ask = () =>
    void execFile('ps', ['-o', 'rss=', '-p', String(pid)], (_, text) => found(kibOf(text), ASK_MS, ask))
  if (hasProc) look()
  else ask()
  return over
}

/** Null where there is no such process any more. */
export function residentBytes(pid: number): number | null {
  try {
    return kibOf(/^VmRSS:(.*) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '')
  } catch {
    return null
  }
}

function kibOf(text: string): number | null {
  return text.trim() === '' ? null : Number(text) * KIB
}
