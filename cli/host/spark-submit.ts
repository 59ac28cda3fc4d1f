import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { SparkSubmit } from '../../batch/engines/spark.ts'
import { TidemarkError } from '../../schemas/errors.ts'

/** What is kept of what the driver said: its last error stands near the end. */
const SAID_CHARACTERS_MAX = 64_000

/** `bin/spark-submit` of the Spark at `home`; from the search path when that is empty. */
export function sparkSubmit(home: string): SparkSubmit {
  const program = home === '' ? 'spark-submit' : `${home}/bin/spark-submit`
  return {
    async submit(args, { cwd, env, line }, signal) {
      signal.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      // A process group of its own: the script and the driver that it starts end together.
      const child = spawn(program, args, {
        cwd,
        env: { ...process.env, ...env },
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      createInterface({ input: child.stdout }).on('line', (text) => line?.(text))
      let said = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-SAID_CHARACTERS_MAX)
      })
      const end = () => {
        if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
        try {
          process.kill(-child.pid, 'SIGKILL')
        } catch {
          // It has ended by itself meanwhile.
        }
      }
      child.on('error', (error) =>
        reject(new TidemarkError('E_ENGINE', `${program} cannot be started (spark.home): ${error.message}`)),
      )
      child.on('close', (code) => resolve(code ?? 137))
      signal.addEventListener('abort', end)
      process.on('exit', end)
      try {
        const code = await promise
        signal.throwIfAborted()
        return { code, said }
      } finally {
        signal.removeEventListener('abort', end)
        process.off('exit', end)
      }
    },
    removeFolder: (dir) => rm(dir, { recursive: true, force: true }),
  }
}
