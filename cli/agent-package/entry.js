#!/usr/bin/env node
/** The way into the package, in plain JavaScript that any Node since 12.20 understands: older than needed, it says so. */
import { AGENT_ENVIRONMENT, AGENT_FLAGS, startWithFlags } from '../node-flags.js'

/** Node has SQLite, which locks the spool, without a flag since 22.13. */
function isNewEnough() {
  const [major, minor] = process.version.replace('v', '').split('.').map(Number)
  return major > 23 || (major === 23 && minor >= 4) || (major === 22 && minor >= 13)
}

if (isNewEnough()) {
  // Its spool is for the eyes of its user alone.
  process.umask(0o077)
  startWithFlags(AGENT_FLAGS, AGENT_ENVIRONMENT)
  import('./main.js').then((main) => main.start())
} else {
  process.stderr.write(`tidemark-agent: Node ${process.version} is too old: 22.13 or newer is needed\n`)
  process.exit(1)
}
