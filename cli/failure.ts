import { describeError, isError, TidemarkError } from '../schemas/errors.ts'

/** What happened and what to do, in one line. */
export function sentence(error: unknown): string {
  const what = describeError(error).replaceAll('\n', ' ')
  return error instanceof TidemarkError ? `${what}: ${error.hint}` : what
}

/** 2 for wrong usage, 1 for everything else. */
export function exitCodeOf(error: unknown): number {
  const wrongUsage = (['E_USAGE', 'E_NEEDS_SETTING', 'E_CONFIG', 'E_EXPOSED'] as const).some((code) =>
    isError(error, code),
  )
  return wrongUsage ? 2 : 1
}
