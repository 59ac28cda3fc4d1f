import { TidemarkError } from '../../schemas/errors.ts'

/** Whether an answer is to say what it was put together from. Throws `E_PARAMETER` where it is about several keys. */
export function parseExplain(
  { explain }: { readonly [name: string]: string | undefined },
  isOne: boolean,
): boolean {
  if (explain !== '1') return false
  if (isOne) return true
  throw new TidemarkError(
    'E_PARAMETER',
    'explain is answered for one key: leave out by, and name the whole key',
    { field: 'explain' },
  )
}
