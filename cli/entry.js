/**
 * The way in, in plain JavaScript that any Node since 12.20 understands: finds a Node that runs TypeScript (this one, or the
 * one that `npm ci` put into node_modules) and hands over to main.ts; where there is none it says so.
 */
import { spawn } from 'child_process'
import { existsSync } from 'fs'
import { dirname, join } from 'path'
import { fileURLToPath } from 'url'

const here = dirname(fileURLToPath(import.meta.url))

/** Node strips types by itself since 22.18, and in the 23 line since 23.6. */
function runsTypeScript(version) {
  const parts = version.replace('v', '').split('.').map(Number)
  if (parts[0] === 22) return parts[1] >= 18
  if (parts[0] === 23) return parts[1] >= 6
  return parts[0] > 23
}

function handOver(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url)].concat(process.argv.slice(2)), {
    stdio: 'inherit',
  })
  const forward = (signal) => child.kill(signal)
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  child.on('error', (error) => {
    process.stderr.write(`tidemark: cannot start ${node}: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    for (const name of signals) process.removeListener(name, forward)
    process.kill(process.pid, signal)
  })
}

const pinned = join(here, '..', 'node_modules', 'node', 'bin', 'node')

const compiled = join(here, '..', '.cache', 'compiled')

/** Keeps what types were stripped from: the next start takes a third of the time, and 35 MB less. */
function keepCompiled() {
  process.getBuiltinModule('module').enableCompileCache(compiled)
}

async function runCommand() {
  keepCompiled()
  // What it keeps of others is for the eyes of its user alone.
  process.umask(0o077)
  const { AGENT_ENVIRONMENT, AGENT_FLAGS, UP_ENVIRONMENT, UP_FLAGS, startWithFlags } = await import(
    './node-flags.ts'
  )
  if (process.argv[2] === 'agent') startWithFlags(AGENT_FLAGS, AGENT_ENVIRONMENT)
  // The threads read it when they begin.
  if (process.argv[2] === 'up') startWithFlags(UP_FLAGS, { ...UP_ENVIRONMENT, NODE_COMPILE_CACHE: compiled })
  ;(await import('./main.ts')).start()
}

if (runsTypeScript(process.version)) {
  runCommand()
} else if (existsSync(pinned)) {
  handOver(pinned)
} else {
  process.stderr.write(
    `tidemark: Node ${process.version} is too old (22.18 or newer is needed) and there is none in node_modules; run \`npm ci\` without --ignore-scripts, which brings one.\n`,
  )
  process.exit(1)
}
