import { flagOf, SETTINGS, type Setting, variableOf } from '../../schemas/config.ts'
import { hideUser } from '../../schemas/user-in-url.ts'
import { ALL_SETTINGS, type Args, type Command, type Io } from '../command.ts'
import { textTable } from '../help.ts'
import { type Settings, unknownVariables } from '../settings/settings.ts'

export const config: Command = {
  name: 'config',
  summary: 'Show every setting, its value and where that came from',
  flags: [{ name: 'markdown', about: 'The table of all settings, as in docs/operations.md' }],
  settings: ALL_SETTINGS,
  example: 'tidemark config --speed-tick 10s',
  run: async ({ flags, settings }: Args, io: Io) => {
    io.out(flags.markdown === undefined ? table(settings) : settingsMarkdown())
    for (const warning of unknownVariables(io.env)) io.err(`tidemark: ${warning}\n`)
    return 0
  },
}

function table(settings: Settings): string {
  const rows = SETTINGS.map((setting: Setting) => {
    const { value, source } = settings.get(setting.name as (typeof SETTINGS)[number]['name'])
    return [setting.name, setting.secret ? '(hidden)' : hideUser(value), source]
  })
  return textTable([['setting', 'value', 'from'], ...rows])
}

/** Name, flag, variable, default and meaning of every setting, as a Markdown table. */
export function settingsMarkdown(): string {
  const rows = SETTINGS.map((setting: Setting) => {
    const byDefault = setting.default === '' ? '' : `\`${setting.default}\``
    return `| \`${setting.name}\` | ${byDefault} | ${setting.about} | \`${flagOf(setting.name)}\` | \`${variableOf(setting.name)}\` |`
  })
  return ['| setting | default | meaning | flag | variable |', '|---|---|---|---|---|', ...rows, ''].join(
    '\n',
  )
}
