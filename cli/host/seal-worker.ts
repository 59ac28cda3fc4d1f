import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import '../../lake/seal-thread.ts'

/** Sealing can wait, messages and queries should not: on Linux a thread can have a priority of its own. */
const NICE = 10
try {
  // The name of this thread, which Linux takes for a process here: `<process>/task/<thread>`.
  const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
  setPriority(thread, NICE)
} catch {
  // Elsewhere it works as any other.
}
