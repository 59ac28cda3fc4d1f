/** A series as a file names it: what is measured, and by which labels it differs from others. */
export interface SeriesName {
  /** InfluxDB's measurement; empty elsewhere. */
  readonly measurement: string
  /** What is measured: a field, a metric. `VALUE` where nothing says. */
  readonly field: string
  readonly labels: { readonly [label: string]: string }
  /** Whether the field may be a name of what is measured instead, as `web`: nothing but a word heads its values. */
  readonly isWord?: boolean
}

/** The field of a series whose metric has no name, as the result of an expression of Prometheus. */
export const VALUE = 'value'

const BRACES = /^([^{]*)\{(.*)\}\s*$/s
const LABEL = /\s*([^\s=:,{}]+)\s*[=:]\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*))\s*(?:,|$)/gs

/** `cpu {service="web"}`, `{__name__="cpu", service="web"}` and `cpu {service: web}`, as Grafana and Prometheus write them; else a bare name. */
export function parseSeriesName(text: string): SeriesName {
  const found = BRACES.exec(text)
  if (found === null) return { measurement: '', field: text.trim() || VALUE, labels: {}, isWord: true }
  const labels: { [label: string]: string } = {}
  for (const [, label, quoted, bare] of found[2]!.matchAll(LABEL))
    labels[label!] = quoted === undefined ? bare!.trim() : quoted.replace(/\\(.)/gs, '$1')
  return ofMetric({ ...labels, ...(found[1]!.trim() !== '' && { __name__: found[1]!.trim() }) })
}

/** A metric as Prometheus' API writes it: its name is a label too. */
export function ofMetric({ __name__, ...labels }: { readonly [label: string]: string }): SeriesName {
  return { measurement: '', field: __name__ ?? VALUE, labels }
}

/** A name as the tables of a file write it, one JSON array: measurement, field, and labels each before its value. */
export function influxName(s: string): SeriesName {
  const [measurement, field, ...labels] = JSON.parse(s) as (string | null)[]
  const own: { [label: string]: string } = {}
  for (let i = 0; i < labels.length; i += 2) if (labels[i + 1]) own[labels[i]!] = labels[i + 1]!
  return { measurement: measurement ?? '', field: field || VALUE, labels: own }
}

/** The same, of InfluxDB's version 1, which writes the tags of a table as one, `cpu=cpu-total,host=web-1`. */
export function influxqlName(s: string): SeriesName {
  const { labels, ...name } = influxName(s)
  const { tags = '', ...own } = labels
  const listed = tags.split(',').flatMap((tag): [string, string][] => {
    const at = tag.indexOf('=')
    return at === -1 ? [] : [[tag.slice(0, at), tag.slice(at + 1)]]
  })
  return { ...name, labels: { ...own, ...Object.fromEntries(listed) } }
}
