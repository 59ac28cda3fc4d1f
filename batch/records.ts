import type { DataFile, Snapshot, Table } from '../lake/delta/port.ts'
import { decodeParquet, encodeParquet } from '../lake/parquet/codec.ts'
import type { ParquetColumn } from '../lake/parquet/column.ts'
import { runsSchema } from '../lake/tables/runs.ts'
import { isError } from '../schemas/errors.ts'
import type { RunRecord, StageRecord } from '../schemas/ports/layers.ts'

/** Run records kept; the oldest go first. */
const RECORDS_MAX = 1_000
/** Small files that a new record is merged with, once there are so many. */
const FILES_MAX = 32
const TRIES_MAX = 5

/** Adds the records of a run to the table of runs. */
export async function recordRuns(table: Table, records: readonly RunRecord[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    const base = await table.create(runsSchema, {})
    const old = base.files.size >= FILES_MAX ? [...base.files.values()] : []
    const rows = [...records, ...(await readFiles(table, old))].sort(newestFirst).slice(0, RECORDS_MAX)
    const file = await table.writeFile(encodeRecords(rows), {
      partition: {},
      rows: rows.length,
      min: {},
      max: {},
    })
    const lacksColumns = base.schema.fields.length < runsSchema.fields.length
    try {
      await table.commit(base, {
        operation: 'RUN',
        ...(lacksColumns && { schema: runsSchema }),
        add: [file],
        remove: old.map(({ path }) => path),
        dataChange: true,
      })
      return
    } catch (error) {
      if (!isError(error, 'E_CONFLICT') || tries === TRIES_MAX) throw error
    }
  }
}

/** The records, newest first. */
export async function readRuns(table: Table): Promise<RunRecord[]> {
  const snapshot: Snapshot | null = await table.snapshot()
  const rows = await readFiles(table, [...(snapshot?.files.values() ?? [])])
  return rows.sort(newestFirst).slice(0, RECORDS_MAX)
}

async function readFiles(table: Table, files: readonly DataFile[]): Promise<RunRecord[]> {
  const parts = await Promise.all(
    files.map(async (file) => {
      try {
        return await decodeRecords(await table.readFile(file))
      } catch (error) {
        // Records are a comfort: a damaged file of them must not stop a run.
        if (isError(error, 'E_FILE_DAMAGED')) return []
        throw error
      }
    }),
  )
  return parts.flat()
}

const newestFirst = (a: RunRecord, b: RunRecord) => b.startedMs - a.startedMs || (a.run < b.run ? 1 : -1)

interface Stored extends Pick<ParquetColumn, 'name' | 'type' | 'nullable'> {
  get(record: RunRecord): unknown
}

const COLUMNS: readonly Stored[] = [
  { name: 'run', type: 'string', get: (r) => r.run },
  { name: 'view', type: 'string', get: (r) => r.view },
  { name: 'started', type: 'timestamp', get: (r) => r.startedMs },
  { name: 'ended', type: 'timestamp', get: (r) => r.endedMs },
  { name: 'result', type: 'string', get: (r) => r.result },
  { name: 'error', type: 'string', nullable: true, get: (r) => r.error },
  { name: 'full', type: 'boolean', get: (r) => r.full },
  { name: 'engine', type: 'string', get: (r) => r.engine },
  { name: 'definition', type: 'string', get: (r) => r.definition },
  { name: 'messages_version', type: 'long', get: (r) => r.messagesVersion },
  { name: 'view_version', type: 'long', nullable: true, get: (r) => r.viewVersion },
  { name: 'tidemark', type: 'string', get: (r) => JSON.stringify(r.tidemark) },
  { name: 'hours', type: 'long', get: (r) => r.hours },
  { name: 'files', type: 'long', get: (r) => r.files },
  { name: 'rows', type: 'long', get: (r) => r.rows },
  { name: 'stages', type: 'string', nullable: true, get: (r) => JSON.stringify(r.stages) },
  { name: 'report', type: 'string', nullable: true, get: (r) => r.report },
]

function encodeRecords(records: readonly RunRecord[]): Uint8Array {
  return encodeParquet(COLUMNS.map(({ get, ...column }) => ({ ...column, values: records.map(get) })))
}

async function decodeRecords(bytes: Uint8Array): Promise<RunRecord[]> {
  // All there are: files of before there were stages and reports lack these.
  const data = await decodeParquet(bytes)
  return data.run!.map((_, i) => {
    const at = <T>(name: string) => data[name]?.[i] as T
    return {
      run: at('run'),
      view: at('view'),
      startedMs: at('started'),
      endedMs: at('ended'),
      result: at('result'),
      error: at('error'),
      full: at('full'),
      engine: at('engine'),
      definition: at('definition'),
      messagesVersion: at('messages_version'),
      viewVersion: at('view_version'),
      tidemark: JSON.parse(at('tidemark')),
      hours: at('hours'),
      files: at('files'),
      rows: at('rows'),
      stages: stagesFrom(at('stages')),
      report: at<string | null | undefined>('report') ?? null,
    }
  })
}

/** Of before stages said with which one they are joined, those without seconds were joined to reduce. */
function stagesFrom(json: string | null | undefined): StageRecord[] {
  const stages = JSON.parse(json ?? '[]') as (Omit<StageRecord, 'joined'> & Partial<StageRecord>)[]
  return stages.map((stage) => ({ joined: stage.seconds === null ? 'reduce' : null, ...stage }))
}
