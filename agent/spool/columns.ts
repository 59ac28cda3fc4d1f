import { type Dataset, formOf, type MessageForm, nameColumns } from '../../schemas/dataset.ts'
import { misfit } from '../../schemas/message.ts'

/** Stands behind the columns of names, and before those of gauges. */
const TIME_COLUMN = 'time_stamp'

/** What the samples of a file consist of. */
export interface SpoolColumns {
  readonly dataset: string
  /** Keys and source, `time_stamp`, gauges: the order of a sample's values. Empty when it cannot be read. */
  readonly columns: readonly string[]
}

/** Returns the columns of a dataset's samples. A spool keeps no attributes. */
export function columnsOf(dataset: Dataset): SpoolColumns {
  const form = formOf(dataset)
  return { dataset: dataset.name, columns: [...nameColumns(form), TIME_COLUMN, ...form.gauges] }
}

/** Returns how many of the columns are names. */
export function namesIn({ columns }: SpoolColumns): number {
  return columns.indexOf(TIME_COLUMN)
}

export function gaugesIn({ columns }: SpoolColumns): readonly string[] {
  return columns.slice(columns.indexOf(TIME_COLUMN) + 1)
}

export function areColumns(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.every((one) => typeof one === 'string') &&
    value.indexOf(TIME_COLUMN) > 0 &&
    new Set(value).size === value.length
  )
}

/** Returns why samples of these columns cannot be read as samples of `dataset`; null when they can. */
export function misfitOf(found: SpoolColumns, dataset: Dataset): string | null {
  if (found.columns.length === 0) return 'their columns cannot be read'
  return misfit(formIn(found, dataset), dataset)
}

/** The columns do not say which name is the source: where the last is that of `dataset`, it is. */
function formIn(found: SpoolColumns, { source }: Dataset): MessageForm {
  const names = found.columns.slice(0, namesIn(found))
  const hasSource = source !== null && names.at(-1) === source
  return {
    dataset: found.dataset,
    keys: hasSource ? names.slice(0, -1) : names,
    source: hasSource ? source : null,
    gauges: gaugesIn(found),
    attributes: [],
  }
}
