#!/usr/bin/env node
/** The way into the package, in plain JavaScript that any Node since 12.20 understands: older than needed, it says so. */
import { AGENT_ENVIRONMENT, AGENT_FLAGS, startWithFlags } from '../node-flags.js'

/** What Debian 12 came with, the oldest of those that it is tested on. */
function isNewEnough() {
  const [major, minor] = process.version.replace('v', '').split('.').map(Number)
  return major > 18 || (major === 18 && minor >= 13)
}

if (isNewEnough()) {
  // Its spool is for the eyes of its user alone.
  process.umask(0o077)
  startWithFlags(AGENT_FLAGS, AGENT_ENVIRONMENT)
  import('./main.js').then((main) => main.start())
} else {
  process.stderr.write(`tidemark-agent: Node ${process.version} is too old: 18.13 or newer is needed\n`)
  process.exit(1)
}
