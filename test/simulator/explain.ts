import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Outcome } from './run.ts'
import { shrink } from './shrink.ts'
import type { Plan } from './step.ts'

/** Lines of the trace that a failure shows. */
const TAIL_LINES = 60

/** What failed, at what version, in how few steps, and how to see it again. */
export async function explain(
  plan: Plan,
  outcome: Outcome,
  { steps, faults, engine }: { steps: number; faults: string; engine: string },
): Promise<string> {
  const short = await shrink(plan, outcome)
  const { message, stack } = short.outcome.failure!
  const only = short.plan.steps.map(({ number }) => number).join(',')
  return `seed ${plan.seed} fails after ${outcome.failure!.steps} steps: ${outcome.failure!.message}

shortened to ${short.plan.steps.length} steps in ${short.tries} tries: ${message}
${short.outcome.lines.slice(-TAIL_LINES).join('\n')}
${stack}

version ${version()}; trace hash ${short.outcome.hash}. Again:
  npm run simulate -- --seed ${plan.seed} --steps ${steps} --faults ${faults} --engine ${engine} --only ${only || 0} --trace`
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  const { version: of } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  const git = spawnSync('git', ['describe', '--always', '--dirty'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  })
  return git.status === 0 ? `${of} (${git.stdout.trim()})` : of
}
