/**
 * Nothing holds a thread longer than 50 ms; in tests so much, as code runs first that is not yet compiled, and on a busy machine the
 * same work takes up to twice the processor time: others empty its caches.
 */
export const HELD_MS_MAX = 150

/**
 * The longest that the event loop of this thread was held while `work` was done, in milliseconds of its processor time: what
 * it waited for others on the machine does not count.
 */
export async function heldMs(work: () => Promise<void>): Promise<number> {
  let last = usedMs()
  let longest = 0
  const look = () => {
    const now = usedMs()
    longest = Math.max(longest, now - last)
    last = now
  }
  const timer = setInterval(look, 1)
  try {
    await work()
    look()
  } finally {
    clearInterval(timer)
  }
  return longest
}

function usedMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
