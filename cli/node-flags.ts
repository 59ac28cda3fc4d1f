/**
 * How Node runs an agent: one that works a few milliseconds a second gains nothing from compiled code, and from
 * a young generation of tens of MB or more threads only size. `--expose-gc` is for cli/host/memory.ts.
 */
export const AGENT_FLAGS = [
  '--expose-gc',
  '--max-semi-space-size=1',
  '--v8-pool-size=1',
  '--max-lazy',
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
]

/** Lets the readers of a line's parts be put into the loop that calls them: together they are above what V8 inlines unasked. */
export const INLINING_FLAGS = [
  '--max-inlined-bytecode-size=2000',
  '--max-inlined-bytecode-size-cumulative=6000',
]

/**
 * How it runs everything: each of three threads would let its young generation grow to 64 MB or twice that under load, and
 * have four helpers collect its garbage, which wait for each other while all cores are busy.
 */
export const UP_FLAGS = ['--max-semi-space-size=8', '--v8-pool-size=1', ...INLINING_FLAGS]

/**
 * Starts this program again with the flags, as the same process, unless it has them. Node before 22.15 cannot; it then
 * takes more memory.
 */
export function startWithFlags(flags: readonly string[]): void {
  if (process.execve === undefined || flags.every((flag) => process.execArgv.includes(flag))) return
  const args = [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)]
  process.execve(process.execPath, args, process.env)
}
