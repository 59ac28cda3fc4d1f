import type { ErrorCode } from '../../schemas/errors.ts'
import { shown } from '../../schemas/shown.ts'
import type { TooMany } from '../intake/dataset-intake.ts'

/** Why a line is refused. */
export interface Refusal {
  readonly code: ErrorCode
  /** The field that is to blame, where one is. */
  readonly field: string | null
  /** What is wrong, with the value shortened. */
  readonly reason: string
  /** The message's number, where it can be read. */
  readonly seq: number | null
  /** Whether the line would be right by a clock of this machine that shows more. */
  readonly isByClock?: boolean
}

/** Refuses a line as a whole. */
export function refusal(code: ErrorCode, reason: string): Refusal {
  return { code, field: null, reason, seq: null }
}

/** Refuses a message whose name is one too many. */
export function tooMany({ code, column, name, setting }: TooMany, seq: number | null): Refusal {
  const reason = `${setting} are known already, and ${shown(name)} is none of them`
  return { code, field: column, reason, seq }
}

/** Refuses a hello or line that names a dataset which is not defined here. */
export function unknownDataset(dataset: unknown, seq: number | null): Refusal {
  return { code: 'E_DATASET', field: 'dataset', reason: `there is no dataset ${shown(dataset)} here`, seq }
}
