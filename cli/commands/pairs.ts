import { TidemarkError } from '../../schemas/errors.ts'

/**
 * The value of a flag like `a=b,c=d`; a comma belongs to a value unless a name and `=` follow it. `value` is what the help calls
 * what is behind `=`. Throws `E_USAGE`.
 */
export function pairs(flag: string, text: string | undefined, value = 'VALUE'): { [name: string]: string } {
  const found: { [name: string]: string } = {}
  for (const part of text?.split(/,(?=[a-z][a-z0-9_]*=)/) ?? []) {
    const at = part.indexOf('=')
    if (at < 1 || at === part.length - 1)
      throw new TidemarkError('E_USAGE', `--${flag} ${part} must be NAME=${value}`)
    found[part.slice(0, at)] = part.slice(at + 1)
  }
  return found
}
