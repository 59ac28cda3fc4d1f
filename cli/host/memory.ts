/**
 * Both do something where Node was started with `--expose-gc`. By itself V8 collects an agent's little garbage so seldom
 * that some MB of it are always there.
 */

/** Frees what was made lately and is not in use, a millisecond's work: reading /proc takes 64 KiB each time. */
export function freeNewest(): void {
  void globalThis.gc?.({ type: 'minor', execution: 'sync' })
}

/** Gives back all that is not in use, code that ran only once included: some 20 ms. */
export function giveMemoryBack(): void {
  void globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
