import { TidemarkError } from '../../../schemas/errors.ts'
import type { Args, Io } from '../../command.ts'
import { textTable } from '../../help.ts'

/** A line of a report, by column. */
export type Line = { readonly [column: string]: string | number | null }

/** Lines of a report: JSON as they come, a table in the end. */
export function report({ flags }: Args, io: Io, columns: readonly string[]) {
  const format = flags.format ?? 'table'
  if (!['table', 'json'].includes(format)) throw new TidemarkError('E_USAGE', '--format must be table, json')
  const lines: string[][] = []
  return {
    add(line: Line) {
      if (format === 'json') io.out(`${JSON.stringify(line)}\n`)
      else lines.push(columns.map((column) => String(line[column] ?? '')))
    },
    end(nothing: string): number {
      if (format === 'table')
        io.out(lines.length === 0 ? `${nothing}\n` : textTable([[...columns], ...lines]))
      return 0
    },
  }
}
