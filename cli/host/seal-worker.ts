import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { workerData } from 'node:worker_threads'
import '../../lake/writer/seal-thread.ts'

const { nice } = workerData as { readonly nice: number }
try {
  // The name of this thread, which Linux takes for a process here: `<process>/task/<thread>`.
  const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
  if (nice > 0) setPriority(thread, nice)
} catch {
  // Elsewhere it works as any other.
}
