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

/** Returns those of the flags that a Node of this version takes: the others end it at its start. */
export function flagsFor(version: string, flags: readonly string[]): string[] {
  const major = Number(/^v(\d+)\./.exec(version)?.[1])
  return flags.filter((flag) => flag !== '--no-maglev' || major >= 20)
}

/**
 * What the C library is told beside: to give memory back from 64 KiB on that are free at its end, not once twice its largest
 * piece is. 0.7 MB of what starting needed are then not kept.
 */
export const AGENT_ENVIRONMENT = { MALLOC_TRIM_THRESHOLD_: String(64 << 10) }

/** Lets the readers of a line's parts be put into the loop that calls them: together they are above what V8 inlines unasked. */
export const INLINING_FLAGS = [
  '--max-inlined-bytecode-size=2000',
  '--max-inlined-bytecode-size-cumulative=6000',
]

/**
 * How it runs everything: each of three threads would let its young generation grow to 64 MB or twice that under load, and
 * have four helpers collect its garbage, which wait for each other while all cores are busy; and would wait with what is old until
 * there is up to four times as much as is in use, where twice as much is collected as fast.
 */
export const UP_FLAGS = [
  '--max-semi-space-size=8',
  '--heap-growing-percent=100',
  '--v8-pool-size=1',
  ...INLINING_FLAGS,
]

/**
 * And what the C library is told. glibc keeps freed memory of ever larger pieces to itself, once it has seen some freed; from
 * so many bytes on it is to give them back at once. Under full load that is 100 MB less.
 */
export const UP_ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: String(512 << 10) }

/**
 * Starts this program again with the flags and, where they are not set, the variables, as the same process, unless it has the
 * flags. Node before 22.15 cannot; it then takes some MB more.
 */
export function startWithFlags(flags: readonly string[], variables: Readonly<Record<string, string>>): void {
  if (process.execve === undefined || flags.every((flag) => process.execArgv.includes(flag))) return
  const args = [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)]
  process.execve(process.execPath, args, { ...variables, ...process.env })
}
