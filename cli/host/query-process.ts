import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { BeginProcess, ProcessEnd, QueryProcess } from '../../lake/query/process.ts'
import { Calls } from '../../schemas/calls.ts'
import { watchMemory } from './resident-memory.ts'

const CHILD = fileURLToPath(new URL('./query-child.ts', import.meta.url))
/** Rows are few at a time; what V8 may take beside is what an orphan could, which nobody watches any more. */
const FLAGS = ['--expose-gc', '--max-old-space-size=256', '--max-semi-space-size=8', '--v8-pool-size=1']
/** Memory that the program itself may have: it begins with 90 MB, of which DuckDB's code is most; the rest is rows on their way. */
const PROGRAM_BYTES = 256 << 20
/** A process that is ready and not asked is kept so long. */
const SPARE_MS_MAX = 5 * 60_000
const SAID_CHARACTERS_MAX = 4_000
/** What V8 and C++ say when they get no memory. */
const NO_MEMORY = /heap out of memory|heap limit|bad_alloc|out of memory/i

export interface QueryProcesses {
  /** Has a process ready, for the next query waits a tenth of a second for one that is not. */
  prepare(): void
  readonly begin: BeginProcess
  /** Ends all. */
  close(): Promise<void>
}

/** Processes of queries, one a query. With `keepsSpare` the next one gets ready while one is at work. */
export function queryProcesses({ keepsSpare }: { keepsSpare: boolean }): QueryProcesses {
  const all = new Set<Child>()
  let spare: Child | null = null
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function start(): Child {
    const child = startChild()
    all.add(child)
    void child.ended.then(() => {
      all.delete(child)
      if (spare === child) spare = null
    })
    return child
  }

  function prepare(): void {
    if (closed || spare !== null) return
    spare = start()
    timer = setTimeout(() => spare?.kill(), SPARE_MS_MAX).unref()
  }

  return {
    prepare,
    begin(memoryBytes) {
      clearTimeout(timer)
      const child = spare ?? start()
      spare = null
      child.watch(memoryBytes + PROGRAM_BYTES)
      // Once this one was asked: to begin a process takes a while too.
      if (keepsSpare) setImmediate(prepare)
      return child
    },
    async close() {
      closed = true
      clearTimeout(timer)
      for (const child of all) child.kill()
      await Promise.all([...all].map(({ ended }) => ended))
    },
  }
}

interface Child extends QueryProcess {
  /** Ends it when it has more memory than this. */
  watch(bytesMax: number): void
}

function startChild(): Child {
  // It has no environment, of which a query could read secrets, and is in no terminal, whose Ctrl-C is for this process.
  const child = spawn(process.execPath, [...FLAGS, CHILD], {
    cwd: '/',
    env: {},
    detached: true,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const { promise: ended, resolve } = Promise.withResolvers<ProcessEnd>()
  let cause: 'caller' | 'memory' | null = null
  let said = ''
  let unwatch = () => {}
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-SAID_CHARACTERS_MAX)
  })
  const kill = (by: 'caller' | 'memory') => {
    cause ??= by
    child.kill('SIGKILL')
  }
  const atExit = () => void child.kill('SIGKILL')
  process.on('exit', atExit)
  const end = (what: ProcessEnd) => {
    unwatch()
    process.off('exit', atExit)
    resolve(what)
  }
  child.on('error', (error) => {
    if (child.pid === undefined) end({ by: 'itself', said: error.message })
  })
  child.on('close', (code, signal) => {
    // A SIGKILL that is not from here is from a system without memory.
    if (cause !== null) end({ by: cause })
    else if (signal === 'SIGKILL' || NO_MEMORY.test(said)) end({ by: 'memory' })
    else end({ by: 'itself', said: reasonIn(said) ?? signal ?? `exit code ${code}` })
  })
  const calls = new Calls({
    post(message) {
      // It may be gone already, which its end tells.
      if (child.connected) child.send(message as object, () => {})
    },
    receive: (fn) => void child.on('message', fn),
  })
  return {
    calls,
    ended,
    kill: () => kill('caller'),
    watch(bytesMax) {
      if (child.pid !== undefined) unwatch = watchMemory(child.pid, bytesMax, () => kill('memory'))
    },
  }
}

/** The line of what Node or the C++ library printed that says why. */
function reasonIn(said: string): string | undefined {
  return said
    .split('\n')
    .find((line) => /^\w*Error\b|what\(\)/.test(line))
    ?.trim()
}
