import type { ErrorCode } from '../../schemas/errors.ts'
import type { TooMany } from '../intake/dataset-intake.ts'
import type { Refusal } from './message-line.ts'

/** There are too many names, and this one is new. */
export function tooMany({ column, name, setting }: TooMany, seq: number | null): Refusal {
  const code = setting === 'collector.hosts_max' ? 'E_HOSTS_MAX' : 'E_SERVICES_MAX'
  const reason = `${setting} are known already, and ${JSON.stringify(name)} is none of them`
  return { code, field: column, reason, seq }
}

/** A hello or line names a dataset that is not declared here. */
export function unknownDataset(dataset: string | null): Refusal {
  return { ...refusal('E_DATASET', `there is no dataset ${JSON.stringify(dataset)} here`), field: 'dataset' }
}

/** What is wrong with a line as a whole. */
export function refusal(code: ErrorCode, reason: string): Refusal {
  return { code, field: null, reason, seq: null }
}
