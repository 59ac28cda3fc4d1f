import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const PLANT = fileURLToPath(new URL('plant.ts', import.meta.url))
const FINDER = fileURLToPath(new URL('finder.ts', import.meta.url))

/** What came of looking for a planted bug. */
export interface Found {
  readonly bug: string
  /** The seed that finds it; null where none does. */
  readonly seed: number | null
  /** What is then wrong. */
  readonly failure: string | null
  /** What is wrong with that seed while no bug is awake; null when it holds. */
  readonly failureWithout: string | null
}

/** Looks for each of the bugs in processes of its own, `jobs` at a time, that load the sources once with all of them planted. */
export function findBugs(names: readonly string[], jobs: number): Map<string, Promise<Found>> {
  const waiting = [...names]
  const found = new Map(names.map((name) => [name, Promise.withResolvers<Found>()]))
  for (let job = 0; job < Math.min(jobs, names.length); job++)
    void findNext(
      fork(FINDER, { execArgv: ['--import', PLANT], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
      waiting,
      found,
    )
  // Who asks for it gets what went wrong, be it later.
  for (const { promise } of found.values()) promise.catch(() => {})
  return new Map(Array.from(found, ([name, { promise }]) => [name, promise]))
}

async function findNext(
  child: ChildProcess,
  waiting: string[],
  found: ReadonlyMap<string, PromiseWithResolvers<Found>>,
): Promise<void> {
  let current: string | undefined
  const next = () => {
    current = waiting.shift()
    if (current === undefined) child.disconnect()
    else child.send(current)
  }
  child.on('message', (answer) => {
    const one = answer as Found
    found.get(one.bug)!.resolve(one)
    next()
  })
  child.on('exit', (code) => {
    for (const name of current === undefined ? [] : [current, ...waiting.splice(0)])
      found.get(name)!.reject(new Error(`the process that looked for ${current} ended (${code})`))
  })
  next()
}
