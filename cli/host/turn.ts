/** Resolves once this thread has looked after everything else that waits for it: connections, timers, other work. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
