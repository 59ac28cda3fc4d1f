import { appendFileSync } from 'node:fs'

/**
 * Says whether something outside the project that a test needs was found. What is missing is written, a line each, to the
 * file named by `TIDEMARK_TEST_SKIPS` so that the run can name it at its end; with `TIDEMARK_TEST_REQUIRE=all` it is a
 * failure.
 */
export function needs(what: string, found: boolean): boolean {
  if (found) return true
  if (process.env.TIDEMARK_TEST_REQUIRE === 'all') throw new Error(`${what} is missing, and it is required`)
  const skips = process.env.TIDEMARK_TEST_SKIPS
  if (skips) appendFileSync(skips, `${what}\n`)
  return false
}
