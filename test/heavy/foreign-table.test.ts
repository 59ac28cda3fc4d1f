import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nodeClock } from '../../cli/host/clock.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import { nodeRandom } from '../../cli/host/random.ts'
import type { Snapshot, Table } from '../../lake/delta/port.ts'
import { openTable } from '../../lake/delta/table.ts'
import { tableSql } from '../../lake/query/catalog.ts'
import { localStore } from '../../lake/store/local.ts'
import { needs } from './needs.ts'
import { python } from './outside.ts'

/** Tables that delta-rs wrote, read by the code that reads our own. */

const hasWriter = needs('deltalake', python !== null)

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-foreign-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

/** Runs Python with the table's path as `path`, and `rows(first, count)` that makes some. */
function script(text: string): void {
  const begin = `
import datetime, os, sys
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
path = sys.argv[1]
names = ["web", "a/b%2F=c", " spaces ", "dots..", "emoji \\U0001F680", "o'hara"]
def rows(first, count):
    at = range(first, first + count)
    times = [datetime.datetime(2026, 11, 22, tzinfo=datetime.timezone.utc) + datetime.timedelta(minutes=i) for i in at]
    return pa.table({
        "service": [names[i % len(names)] for i in at],
        "time_stamp": pa.array(times, pa.timestamp("us", tz="UTC")),
        "cpu": [i / 4 for i in at],
        "n": pa.array(list(at), pa.int64()),
    })
`
  execFileSync(python!, ['-c', `${begin}${text}\nsys.stdout.flush()\nos._exit(0)`, join(dir, 'foreign')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function opened(): Promise<Table> {
  const random = nodeRandom()
  const store = await localStore(nodeDisk(), dir, random)
  return openTable('foreign', { store, clock: nodeClock(), random })
}

/** Rows, the sum of their numbers, and how many names they have, of a version as we read it. */
async function read(table: Table, snapshot: Snapshot): Promise<unknown> {
  const paths: string[] = []
  for (const file of snapshot.files.values()) paths.push(await table.localPath(file))
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const sql = `SELECT count(*)::DOUBLE, sum(n)::DOUBLE, count(DISTINCT service)::DOUBLE FROM (${tableSql(snapshot.schema, paths)})`
  const [row] = (await connection.runAndReadAll(sql)).getRowsJS()
  connection.closeSync()
  return row
}

const sum = (count: number) => (count * (count - 1)) / 2

test.skipIf(!hasWriter)(
  'a table of delta-rs is read as appended, compacted, and from its checkpoint',
  async () => {
    script('for i in range(4): write_deltalake(path, rows(i * 100, 100), mode="append")')
    const before = await opened()
    expect(await read(before, (await before.snapshot())!)).toEqual([400, sum(400), 6])
    script('DeltaTable(path).optimize.compact(); write_deltalake(path, rows(400, 10), mode="append")')
    const after = (await before.snapshot())!
    expect(after.files.size).toBe(2)
    expect(await read(before, after)).toEqual([410, sum(410), 6])
    expect(await read(before, await before.at(1))).toEqual([200, sum(200), 6])
    script('DeltaTable(path).create_checkpoint(); write_deltalake(path, rows(410, 5), mode="append")')
    const fresh = await opened()
    expect(await read(fresh, (await fresh.snapshot())!)).toEqual([415, sum(415), 6])
  },
)

test.skipIf(!hasWriter).each([
  ['deletion vectors', 'delta.enableDeletionVectors', 'true'],
  ['column mapping', 'delta.columnMapping.mode', 'name'],
])('a table with %s is refused with a sentence', async (_, property, value) => {
  // What delta-rs cannot write itself is put into the protocol as other writers do.
  script(`
import json
write_deltalake(path, rows(0, 10))
feature = "deletionVectors" if "Vectors" in "${property}" else "columnMapping"
log = path + "/_delta_log/" + "1".zfill(20) + ".json"
protocol = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": [feature], "writerFeatures": [feature]}
old = [json.loads(line) for line in open(path + "/_delta_log/" + "0".zfill(20) + ".json")]
meta = next(line["metaData"] for line in old if "metaData" in line)
meta["configuration"]["${property}"] = "${value}"
open(log, "w").write("\\n".join(json.dumps(line) for line in [{"protocol": protocol}, {"metaData": meta}]))
`)
  const table = await opened()
  await expect(table.snapshot()).rejects.toMatchObject({
    code: 'E_TABLE_VERSION',
    message: expect.stringMatching(/deletionVectors|columnMapping|reader version 3/),
  })
})
