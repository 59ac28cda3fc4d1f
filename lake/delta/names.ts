/** Names in a table's `_delta_log` folder. */
export const logPrefix = (table: string) => `${table}/_delta_log/`
export const commitKey = (table: string, version: number) => `${logPrefix(table)}${digits(version)}.json`
export const checkpointKey = (table: string, version: number) =>
  `${logPrefix(table)}${digits(version)}.checkpoint.parquet`
export const lastCheckpointKey = (table: string) => `${logPrefix(table)}_last_checkpoint`

const digits = (version: number) => String(version).padStart(20, '0')

const NAME = /\/_delta_log\/(\d{20})\.(json|checkpoint\.parquet)$/

/** What a key of the log folder is; null for anything else. */
export function parseLogKey(key: string): { version: number; kind: 'commit' | 'checkpoint' } | null {
  const match = NAME.exec(key)
  if (!match) return null
  return { version: Number(match[1]), kind: match[2] === 'json' ? 'commit' : 'checkpoint' }
}
