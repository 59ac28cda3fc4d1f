import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * `npm test`: the unit tests and the law; with `TIDEMARK_TEST_REQUIRE=all` also the heavy tests, which need a browser and
 * readers that we did not write, and then nothing may be skipped. Ends with one line of what was skipped and why, and one
 * with the counts.
 */
interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[]
}

const all = process.env.TIDEMARK_TEST_REQUIRE === 'all'
const projects = all ? ['unit', 'law', 'heavy', 'heavy-waiting'] : ['unit', 'law']
const scratch = mkdtempSync(join(tmpdir(), 'tidemark-test-'))
const skips = join(scratch, 'skips')
const report = join(scratch, 'report.json')
writeFileSync(skips, '')

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const { status } = spawnSync(
  process.execPath,
  [
    vitest,
    'run',
    ...projects.flatMap((name) => ['--project', name]),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ],
  { stdio: 'inherit', env: { ...process.env, TIDEMARK_TEST_SKIPS: skips } },
)

const { passed, failed } = countsOf(report)
const skipped = [
  ...new Set(
    readFileSync(skips, 'utf8')
      .split('\n')
      .filter((line) => line !== ''),
  ),
]
if (!all) skipped.push('the heavy tests (TIDEMARK_TEST_REQUIRE=all runs them; docs in CONTRIBUTING.md)')
if (skipped.length > 0) console.log(`skipped: ${skipped.join('; ')}`)
console.log(`${passed} passed, ${failed} failed`)
rmSync(scratch, { recursive: true })
process.exitCode = status === 0 && failed === 0 && passed > 0 ? 0 : 1

/** A file that could not even be loaded counts as one failure. */
function countsOf(path: string): { passed: number; failed: number } {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(path, 'utf8')) as Report
    const broken = testResults.filter(
      ({ status: state, assertionResults }) => state === 'failed' && assertionResults.length === 0,
    )
    return { passed: numPassedTests, failed: numFailedTests + broken.length }
  } catch {
    return { passed: 0, failed: 1 }
  }
}
