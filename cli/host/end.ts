import { existsSync } from 'node:fs'

/** What ends with a code that it is told, in every system that is supported. */
const SHELL = '/bin/sh'

/**
 * Ends the process with `code`, at once. `process.exit` waits for what is at work in Node's pool of threads, and some calls of DuckDB
 * last for minutes and cannot be interrupted. Where Node can, another program takes the place of this one and ends with the code.
 */
export function endProcess(code: number): never {
  if (process.execve === undefined || !existsSync(SHELL)) process.exit(code)
  process.emit('exit', code)
  // Node would do it at an exit of its own.
  process.getBuiltinModule('module').flushCompileCache()
  // A shell complains of a working folder that was removed.
  process.chdir('/')
  process.execve(SHELL, ['sh', '-c', `exit ${code}`], {})
  throw new Error('a process that was replaced goes on')
}
