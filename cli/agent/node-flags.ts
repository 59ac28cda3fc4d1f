/**
 * How Node runs an agent: one that works a few milliseconds a second gains nothing from compiled code, and from
 * a young generation of tens of MB or more threads only size. `--expose-gc` is for cli/host/memory.ts.
 */
export const NODE_FLAGS = [
  '--expose-gc',
  '--max-semi-space-size=1',
  '--v8-pool-size=1',
  '--max-lazy',
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
]

/**
 * Starts this program again with the flags, as the same process, unless it has them. Node before 22.15 cannot; the agent
 * is then a little larger.
 */
export function startWithFlags(): void {
  if (process.execve === undefined || NODE_FLAGS.every((flag) => process.execArgv.includes(flag))) return
  const args = [process.execPath, ...NODE_FLAGS, ...process.execArgv, ...process.argv.slice(1)]
  process.execve(process.execPath, args, process.env)
}
