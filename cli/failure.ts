import { describeError, ERRORS, isError, TidemarkError } from '../schemas/errors.ts'

/** What happened and what to do, in one line. */
export function sentence(error: unknown): string {
  const what = describeError(error).replaceAll('\n', ' ')
  return error instanceof TidemarkError ? `${what}: ${hintOf(error)}` : what
}

/** What the list says for who asks over HTTP is said for who gives a command. */
function hintOf({ code, hint }: TidemarkError): string {
  const isForHttp = (code === 'E_PARAMETER' || code === 'E_NOT_FOUND') && hint === ERRORS[code].hint
  return isForHttp ? ERRORS.E_USAGE.hint : hint
}

/** 2 for wrong usage, 1 for everything else. */
export function exitCodeOf(error: unknown): number {
  const wrongUsage = (['E_USAGE', 'E_PARAMETER', 'E_NEEDS_SETTING', 'E_CONFIG', 'E_EXPOSED'] as const).some(
    (code) => isError(error, code),
  )
  return wrongUsage ? 2 : 1
}
