import { type Command, callOf } from './command.ts'
import { flagsOf } from './parse.ts'
import { textWidth } from './text-width.ts'

/** The overview of all commands. */
export function overview(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const)
  return [
    'Usage: tidemark COMMAND [OPTIONS]',
    '',
    ...columns(rows),
    '',
    '`tidemark COMMAND --help` tells more of one. Start with: tidemark up',
    '',
  ].join('\n')
}

export function helpOf(command: Command): string {
  const rows = flagsOf(command).map(
    (flag) =>
      [flag.value === undefined ? `--${flag.name}` : `--${flag.name} ${flag.value}`, flag.about] as const,
  )
  const operands = command.operands === undefined ? '' : ` ${command.operands}`
  return [
    `Usage: ${callOf(command)}${operands} [OPTIONS]`,
    '',
    command.summary,
    '',
    ...columns(rows),
    '',
    `Example: ${command.example}`,
    '',
  ].join('\n')
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}

/** Rows as a table for a terminal, columns aligned, those of `right` at their end; the first row is the head. */
export function textTable(rows: readonly (readonly string[])[], right: readonly boolean[] = []): string {
  const widths = rows.map((row) => row.map(textWidth))
  const columns = rows[0]!.map((_, column) => widths.reduce((most, row) => Math.max(most, row[column]!), 0))
  const lines = rows.map((row, r) =>
    row
      .map((cell, i) => {
        const pad = ' '.repeat(columns[i]! - widths[r]![i]!)
        return right[i] ? pad + cell : cell + pad
      })
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}
