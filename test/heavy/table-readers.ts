import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { ROOT } from '../code/sources.ts'
import { python } from './outside.ts'
import { sparkHome } from './spark-cluster.ts'

/** A version of a Delta table to be read. */
export interface Asked {
  readonly path: string
  readonly version: number
}

/** A reader of Delta tables that we did not write; gives the rows of each table asked, as text. */
export interface TableReader {
  readonly name: string
  /** Whether it is installed. */
  readonly found: boolean
  read(asked: readonly Asked[]): Promise<string[][]>
}

/** A row as text: columns by name, times in milliseconds, sketches as pairs. As `COMMON` has it in Python. */
export function rowText(row: { readonly [column: string]: unknown }): string {
  return JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const COMMON = `
import datetime, json, os, sys
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
def plain(value):
    if isinstance(value, datetime.datetime):
        at = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return round((at - EPOCH).total_seconds() * 1000)
    if isinstance(value, datetime.date): return str(value)
    if isinstance(value, (list, tuple)): return [plain(one) for one in value]
    if hasattr(value, "asDict"): value = value.asDict()
    if isinstance(value, dict): return [value["bucket"], value["count"]]
    return value
def tell(tables):
    answer = [[{name: plain(value) for name, value in row.items()} for row in rows] for rows in tables]
    with open(sys.argv[1], "w") as out: json.dump(answer, out)
    # A reader's threads sometimes abort the interpreter's own way out, after everything is read.
    os._exit(0)
asked = json.loads(sys.argv[2])
`

const DELTA_RS = `
from deltalake import DeltaTable
tell(DeltaTable(one["path"], version=one["version"]).to_pyarrow_table().to_pylist() for one in asked)
`

const POLARS = `
import polars
tell(polars.scan_delta(one["path"], version=one["version"]).collect().to_dicts() for one in asked)
`

const DUCKDB = `
import duckdb, duckdb_extension_delta
folder = os.path.dirname(duckdb_extension_delta.__file__)
connection = duckdb.connect()
connection.execute("load '%s/extensions/v%s/delta.duckdb_extension'" % (folder, duckdb.__version__))
def rows(path, version):
    connection.execute("attach '%s' as one (type delta, version %d)" % (path, version))
    columns = connection.sql("describe select * from one").fetchall()
    times = ['epoch_ms("%s") as "%s"' % (name, name) for name, kind, *_ in columns if kind.startswith("TIMESTAMP")]
    found = connection.execute("select * replace (%s) from one" % ", ".join(times))
    names = [column[0] for column in found.description]
    read = [dict(zip(names, row)) for row in found.fetchall()]
    connection.execute("detach one")
    return read
tell(rows(**one) for one in asked)
`

const SPARK = `
from pyspark.sql import SparkSession
settings = {
    "spark.jars": sys.argv[3], "spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "1", "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.memory": "1g",
}
builder = SparkSession.builder.master("local[1]")
for name, value in settings.items(): builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
def rows(path, version):
    found = spark.read.format("delta").option("versionAsOf", version).load(path).collect()
    return [{name: row[name] for name in row.__fields__} for row in found]
tell([rows(**one) for one in asked])
`

/** The table readers that \`.ci/run\` installs. */
export function tableReaders(outPath: string): readonly TableReader[] {
  const reader = (name: string, program: string | null, script: string, ...more: string[]): TableReader => ({
    name,
    found: program !== null,
    async read(asked) {
      const args = ['-c', COMMON + script, outPath, JSON.stringify(asked), ...more]
      await promisify(execFile)(program!, args, { env: { ...process.env, TZ: 'UTC' }, maxBuffer: 64 << 20 })
      const answer = JSON.parse(readFileSync(outPath, 'utf8')) as { [column: string]: unknown }[][]
      return answer.map((rows) => rows.map(rowText).sort())
    },
  })
  const duckdb = `${ROOT}/.cache/duckdb/bin/python`
  const jars = globSync(`${ROOT}/.cache/spark-delta/*.jar`)
  const spark = sparkHome() !== null && jars.length > 0 ? `${ROOT}/.cache/spark/bin/python` : null
  return [
    reader('delta-rs', python, DELTA_RS),
    reader('Polars', python, POLARS),
    reader("DuckDB's Delta reader", existsSync(duckdb) ? duckdb : null, DUCKDB),
    reader('Spark with delta-spark', spark, SPARK, jars.join(',')),
  ]
}
