import { TidemarkError } from '../../schemas/errors.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** What the system says of a path, as an error of the list. */
export function diskError(path: string, error: unknown): TidemarkError {
  const { code, message } = error as NodeJS.ErrnoException
  const full = FULL.has(code ?? '')
  return new TidemarkError(full ? 'E_DISK_FULL' : 'E_DISK', `${path}: ${message}`, { cause: error })
}
