import { duckdb } from '../../../schemas/sql/duckdb.ts'
import type { ImportCompression } from '../columns.ts'
import { jsonCompression } from '../rows-sql.ts'
import { type SeriesForm, textLines } from './form.ts'
import { areOfLineProtocol, lineProtocolForm } from './line-protocol.ts'
import { influxqlRows, sadfRows } from './sections.ts'
import { influxName, influxqlName, ofMetric, parseSeriesName } from './series-name.ts'

/** Forms that the first lines of a text tell, before it is looked at as CSV or JSON. */

/** Of an answer of Prometheus, which is one object. */
const ANSWER_BYTES_MAX = 64 << 20
/** Of a series in an export of VictoriaMetrics. */
const LINE_BYTES_MAX = 32 << 20

/** `cpu{job="web"} 12.5 1795341600`, `{__name__="cpu"} 12.5 1795341600000`: series, value, time. */
const SAMPLE = String.raw`^((?:[a-zA-Z_:][\w:.]*)?(?:\{.*\})?)[ \t]+([-+.\w]+)[ \t]+(-?\d+(?:\.\d+)?)(?:[ \t]+#.*)?\r?$`

/** The form of series that a file has as its first lines show; null for all others. */
export function seriesTextForm(
  path: string,
  compression: ImportCompression,
  text: string,
): SeriesForm | null {
  const head = text.replace(/^\ufeff/, '')
  if (/^\s*\{/.test(head) && /"resultType"\s*:\s*"(matrix|vector)"/.test(head.slice(0, 1_000)))
    return answerForm(path, compression, 'data')
  if (/^\s*\[\s*\{\s*"metric"\s*:\s*\{/.test(head)) return answerForm(path, compression, null)
  // A line may be longer than what is looked at.
  if (/^\s*\{"metric":\{[^}]*\},"values":\[/.test(head)) return victoriaForm(path, compression)
  const lines = head.split(/\r?\n/, 20).filter((line) => line.trim() !== '')
  if (lines[0]?.startsWith('# hostname;interval;timestamp'))
    return {
      words: 'tables of sadf',
      time: 'timestamp',
      rows: (stage) => sadfRows(path, compression, stage),
      nameOf: influxName,
      emptyHint: 'of devices side by side columns are not told apart: give `sadf -d` without -h',
    }
  if (/^name,(tags,)?([^,]*,)*time(,|$)/.test(lines[0] ?? ''))
    return {
      words: 'tables of InfluxDB 1',
      time: 'time',
      rows: (stage) => influxqlRows(path, compression, stage),
      nameOf: influxqlName,
    }
  const samples = lines.filter((line) => !line.startsWith('#'))
  if (samples.length > 0 && new RegExp(SAMPLE).test(samples[0]!)) return samplesForm(path, compression)
  return areOfLineProtocol(samples) ? lineProtocolForm(path, compression) : null
}

function json(path: string, compression: ImportCompression, columns: string, bytesMax: number): string {
  return `read_json(${duckdb.text(path)}, format = 'auto', columns = ${columns}, maximum_object_size = ${bytesMax}, ${jsonCompression(compression)})`
}

const metricName = (s: string) => ofMetric(JSON.parse(s) as { [label: string]: string })

/** Of Prometheus' API, or the list of results alone, as `promtool query -o json` prints it. */
function answerForm(path: string, compression: ImportCompression, within: 'data' | null): SeriesForm {
  const result = `metric JSON, "values" VARCHAR[][], "value" VARCHAR[]`
  const results =
    within === null
      ? `SELECT {metric: metric, "values": "values", "value": "value"} AS one FROM ${json(path, compression, "{metric: 'JSON', \"values\": 'VARCHAR[][]', \"value\": 'VARCHAR[]'}", ANSWER_BYTES_MAX)}`
      : `SELECT unnest(data.result) AS one FROM ${json(path, compression, `{data: 'STRUCT(result STRUCT(${result})[])'}`, ANSWER_BYTES_MAX)}`
  const points = `SELECT one.metric::VARCHAR AS s, unnest(coalesce(one."values", [one."value"])) AS p FROM (${results})`
  return {
    words: "Prometheus' answer to a query",
    time: 'time',
    rows: `SELECT p[1] AS t, p[2] AS v, s FROM (${points})`,
    nameOf: metricName,
    isOneObject: true,
    objectBytesMax: ANSWER_BYTES_MAX,
  }
}

/** Of VictoriaMetrics' export: an object a series. */
function victoriaForm(path: string, compression: ImportCompression): SeriesForm {
  const columns = `{metric: 'JSON', "values": 'VARCHAR[]', timestamps: 'VARCHAR[]'}`
  return {
    words: "VictoriaMetrics' export of series",
    time: 'time',
    rows: `SELECT unnest(timestamps) AS t, unnest("values") AS v, metric::VARCHAR AS s FROM ${json(path, compression, columns, LINE_BYTES_MAX)}`,
    objectBytesMax: LINE_BYTES_MAX,
    nameOf: metricName,
  }
}

/** A line for each value, as `promtool tsdb dump`, OpenMetrics and pages of metrics with times have them. */
function samplesForm(path: string, compression: ImportCompression): SeriesForm {
  const parts = `regexp_extract(line, ${duckdb.text(SAMPLE)}, ['s', 'v', 't'])`
  return {
    words: 'samples of Prometheus, a line each',
    time: 'time',
    rows: `SELECT if(p.t = '', n::VARCHAR, p.t) AS t, if(p.t = '', line, p.v) AS v, if(p.t = '', NULL, p.s) AS s FROM (SELECT *, ${parts} AS p FROM ${textLines(path, compression)})`,
    torn: 'no sample with its time',
    nameOf: (s) => ({ ...parseSeriesName(s), isWord: false }),
  }
}

/** Telegraf's JSON: an object for each measurement and time, of its fields. */
export function telegrafForm(path: string, compression: ImportCompression): SeriesForm {
  const object = `CASE WHEN NOT torn THEN line END`
  const entries = (of: string) =>
    `map_entries(json_transform(${object}, '{"${of}":"MAP(VARCHAR,VARCHAR)"}').${of})`
  const tags = `flatten(list_transform(coalesce(${entries('tags')}, []), lambda e: [e.key, e.value]))`
  const fields = `if(torn, [{'key': '', 'value': line}], ${entries('fields')})`
  const lines = `SELECT *, NOT coalesce(json_exists(CASE WHEN json_valid(line) THEN line END, '/fields'), false) AS torn FROM ${textLines(path, compression)}`
  const values = `SELECT torn, n, json_extract_string(${object}, '/timestamp') AS t, json_extract_string(${object}, '/name') AS name, ${tags} AS tags, unnest(${fields}) AS f FROM (${lines})`
  return {
    words: "Telegraf's JSON",
    time: 'timestamp',
    rows: `SELECT if(torn, n::VARCHAR, t) AS t, f.value AS v, if(torn, NULL, to_json(list_concat([name, f.key], tags))::VARCHAR) AS s FROM (${values}) WHERE torn OR TRY_CAST(f.value AS DOUBLE) IS NOT NULL`,
    torn: 'no JSON object with fields',
    nameOf: influxName,
  }
}
