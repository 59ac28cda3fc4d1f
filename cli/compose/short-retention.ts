import { SAFE_RETENTION_MS } from '../../lake/delta/cleanup.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import type { Settings } from '../settings/settings.ts'

/**
 * Says so where files that a version replaced go sooner than a run, a query or an outside reader may need them: each reads the
 * version that it began with to the end.
 */
export function warnOfShortRetention(
  settings: Pick<Settings, 'durationMs' | 'text'>,
  logLine: (line: string) => void,
): void {
  if (settings.durationMs('lake.retention') >= SAFE_RETENTION_MS) return
  const safe = `${SAFE_RETENTION_MS / HOUR_MS}h`
  logLine(
    `lake.retention is ${settings.text('lake.retention')}, shorter than ${safe}: runs, queries and other readers that take longer may lose the files they read; say lake.retention = ${safe} or more`,
  )
}
