import { duckdb } from '../../../schemas/sql/duckdb.ts'
import type { ImportCompression } from '../columns.ts'
import { type SeriesForm, textLines } from './form.ts'
import type { SeriesName } from './series-name.ts'

/**
 * InfluxDB's line protocol, as Telegraf writes it and `influx_inspect export` too: `cpu,host=web-1 usage_idle=97.5,n=3i 1795341600000000000`.
 * https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
 */

/** Characters up to one of those that end a part, which may stand in it behind a backslash. */
const partUpTo = (ends: string) => String.raw`(?:[^\\${ends}]|\\.)+`
const FIELD = String.raw`${partUpTo(' ,=')}=(?:"(?:[^"\\]|\\.)*"|[^ ,"]+)`
const LINE = String.raw`^ *(${partUpTo(' ')}) +(${FIELD}(?:,${FIELD})*)(?: +(-?\d+))?\s*$`
/** Whole numbers end with `i` or `u`; texts and truth values are no gauges. */
const NUMBER = String.raw`[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?[iu]?`

const LINES = new RegExp(LINE)

/** Whether most of the lines of a file's head are of it. */
export function areOfLineProtocol(lines: readonly string[]): boolean {
  return lines.filter((line) => LINES.test(line)).length > lines.length / 2
}

export function lineProtocolForm(path: string, compression: ImportCompression): SeriesForm {
  const parts = `regexp_extract(line, ${duckdb.text(LINE)}, ['head', 'fields', 'time'])`
  const fields = `regexp_extract_all(p.fields, ${duckdb.text(FIELD)})`
  const found = `SELECT *, unnest(CASE WHEN p.head = '' THEN ['torn'] ELSE ${fields} END) AS field
    FROM (SELECT *, ${parts} AS p FROM ${textLines(path, compression)})`
  const split = `SELECT *, regexp_extract(field, ${duckdb.text(`^(${partUpTo(' ,=')})=(.*)$`)}, ['key', 'value'], 's') AS f FROM (${found})`
  return {
    words: "InfluxDB's line protocol",
    time: 'time',
    rows: `SELECT CASE WHEN p.head = '' THEN n::VARCHAR ELSE nullif(p.time, '') END AS t,
      CASE WHEN p.head = '' THEN line ELSE rtrim(f.value, 'iu') END AS v,
      CASE WHEN p.head <> '' THEN to_json([p.head, f.key])::VARCHAR END AS s
      FROM (${split}) WHERE p.head = '' OR regexp_full_match(f.value, ${duckdb.text(NUMBER)})`,
    torn: 'no line of the protocol',
    nameOf: (s) => {
      const [head, field] = JSON.parse(s) as [string, string]
      return lineName(head, field)
    },
  }
}

/** Of `cpu,host=web-1,rack=a\ 1` and a field. */
function lineName(head: string, field: string): SeriesName {
  const [measurement, ...tags] = head.match(/(?:[^\\,]|\\.)+/g) ?? []
  const labels = tags.flatMap((tag): [string, string][] => {
    const found = /^((?:[^\\=]|\\.)+)=(.*)$/s.exec(tag)
    return found === null ? [] : [[unescaped(found[1]!), unescaped(found[2]!)]]
  })
  return {
    measurement: unescaped(measurement ?? ''),
    field: unescaped(field),
    labels: Object.fromEntries(labels),
  }
}

const unescaped = (text: string) => text.replace(/\\([ ,=])/g, '$1')
