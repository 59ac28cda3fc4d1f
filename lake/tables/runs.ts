import type { TableSchema } from '../delta/port.ts'
import { optional, required } from './fields.ts'

export const RUNS = 'runs'

/** One row a run and view; `tidemark` and `stages` are JSON. */
export const runsSchema: TableSchema = {
  fields: [
    required('run', 'string'),
    required('view', 'string'),
    required('started', 'timestamp'),
    required('ended', 'timestamp'),
    required('result', 'string'),
    optional('error', 'string'),
    required('full', 'boolean'),
    required('engine', 'string'),
    required('definition', 'string'),
    required('messages_version', 'long'),
    optional('view_version', 'long'),
    required('tidemark', 'string'),
    required('hours', 'long'),
    required('files', 'long'),
    required('rows', 'long'),
    optional('stages', 'string'),
    optional('report', 'string'),
  ],
  partitionBy: [],
}
