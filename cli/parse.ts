import { parseArgs } from 'node:util'
import { flagOf, SETTINGS } from '../schemas/config.ts'
import { TidemarkError } from '../schemas/errors.ts'
import { hideUser } from '../schemas/user-in-url.ts'
import { type Command, callOf, type Flag } from './command.ts'
import { suggestion } from './settings/nearest.ts'

export interface Parsed {
  readonly flags: Readonly<Record<string, string>>
  readonly operands: readonly string[]
}

/** Every flag of a command: its own, those of its settings with `--config`, and `--help`. */
export function flagsOf(command: Command): Flag[] {
  const settings = SETTINGS.filter((setting) => command.settings.includes(setting.name)).map((setting) => ({
    name: flagOf(setting.name).slice(2),
    ...(setting.kind === 'boolean'
      ? { value: '[BOOLEAN]', bare: true as const }
      : { value: setting.kind.toUpperCase() }),
    about: `${setting.about} (${setting.default === '' ? 'none' : setting.default})`,
  }))
  const file = { name: 'config', value: 'FILE', about: 'Settings file (./tidemark.toml)' }
  const config = settings.length === 0 ? [] : [file]
  return [...command.flags, ...settings, ...config, { name: 'help', about: 'Show this help' }]
}

/** Reads the arguments after the command's name. Throws `E_USAGE`. */
export function parseCommandArgs(command: Command, argv: readonly string[]): Parsed {
  const known = new Map(flagsOf(command).map((flag) => [flag.name, flag]))
  const options = Object.fromEntries(
    [...known].map(([name, flag]) => [
      name,
      { type: flag.value === undefined ? 'boolean' : 'string' } as const,
    ]),
  )
  const args = argv.map((arg, i) => (isBare(known, arg, argv[i + 1]) ? `${arg}=true` : arg))
  const { tokens } = parseArgs({ args, options, strict: false, tokens: true })
  const flags: Record<string, string> = {}
  const operands: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const flag = known.get(token.name)
    if (flag === undefined) throw unknownFlag(command, token.rawName, known.keys())
    const value = given(flag, token.value, token.inlineValue === true)
    flags[flag.name] = again(flag, flags[flag.name], value)
  }
  if (operands.length > 0 && command.operands === undefined && flags.help === undefined)
    throw usage(command, `takes no ${JSON.stringify(hideUser(operands[0]!))}`)
  return { flags, operands }

  /** A list grows; of a setting the last counts, so that a script can be overruled; all else can be meant but once. */
  function again(flag: Flag, before: string | undefined, value: string): string {
    if (before === undefined || flag.value === undefined || isSetting(flag)) return value
    if (flag.value.endsWith(',...')) return `${before},${value}`
    throw usage(command, `takes one --${flag.name}, not ${hideUser(before)} and ${hideUser(value)}`)
  }

  function isSetting({ name }: Flag): boolean {
    return name === 'config' || !command.flags.some((own) => own.name === name)
  }

  function given(flag: Flag, value: string | undefined, inline: boolean): string {
    if (flag.value === undefined) {
      if (inline) throw usage(command, `--${flag.name} takes no value`)
      return 'true'
    }
    if (value === undefined || (!inline && value.startsWith('--')))
      throw usage(command, `--${flag.name} needs a value: --${flag.name} ${flag.value}`)
    return value
  }
}

/** `--insecure` at the end or before something that is not its value. */
function isBare(known: ReadonlyMap<string, Flag>, arg: string, next: string | undefined): boolean {
  const isFlag = arg.startsWith('--') && known.get(arg.slice(2))?.bare === true
  return isFlag && (next === undefined || next.startsWith('-'))
}

function unknownFlag(command: Command, rawName: string, known: Iterable<string>): TidemarkError {
  const names = [...known].map((name) => `--${name}`)
  return usage(command, `has no option ${rawName}${suggestion(rawName, names)}`)
}

function usage(command: Command, what: string): TidemarkError {
  return new TidemarkError('E_USAGE', `${callOf(command)} ${what}`)
}
