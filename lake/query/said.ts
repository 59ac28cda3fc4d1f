import { describeError, TidemarkError } from '../../schemas/errors.ts'

/** What is wrong with a query, in the words of this program, by what DuckDB says of it. */
export function queryError(error: unknown, memoryBytes: number): TidemarkError {
  if (error instanceof TidemarkError) return error
  const message = describeError(error)
  if (/max_temp_directory_size/.test(message)) return spillError(memoryBytes)
  if (/^Out of Memory/i.test(message)) return memoryError(memoryBytes)
  const said = message.split('\n')[0]!.replace(/^Failed to extract statements: /, '')
  if (/no space left|disk quota/i.test(said))
    return new TidemarkError('E_DISK_FULL', `the query has no room on the disk: ${said}`)
  return new TidemarkError('E_QUERY', said, { field: 'sql' })
}

export function memoryError(memoryBytes: number): TidemarkError {
  return new TidemarkError('E_QUERY_LIMIT', `the query needs more than ${mib(memoryBytes)} of memory`)
}

function spillError(memoryBytes: number): TidemarkError {
  const [memory, disk] = [mib(memoryBytes), mib(spillBytes(memoryBytes))]
  return new TidemarkError(
    'E_QUERY_LIMIT',
    `the query needs more than ${memory} of memory and ${disk} of disk beside`,
  )
}

export function fileError(bytesMax: number): TidemarkError {
  return new TidemarkError('E_QUERY_LIMIT', `the answer has more than ${mib(bytesMax)}`)
}

/** What may lie on the disk of what does not fit into memory. */
export function spillBytes(memoryBytes: number): number {
  return 4 * memoryBytes
}

function mib(bytes: number): string {
  return `${bytes / 2 ** 20} MiB`
}
