/** Answers that hold no history: what each is, and what to do; null for all others. */
export function refusal(text: string): { readonly what: string; readonly hint: string } | null {
  const said = PROMETHEUS.exec(text)?.[1] ?? INFLUX.exec(text)?.[1]
  if (said !== undefined)
    return {
      what: `is an error that was answered: ${said}`,
      hint: 'ask again, and keep what is answered then',
    }
  const lines = text.split(/\r?\n/, 20).filter((line) => line.trim() !== '' && !line.startsWith('#'))
  if (lines.length === 0 || !lines.every((line) => NOW.test(line))) return null
  return {
    what: 'is a page of metrics as they are now, without times',
    hint: 'history is what Prometheus answers to `query_range`, or `promtool tsdb dump`',
  }
}

const PROMETHEUS = /^\s*\{\s*"status"\s*:\s*"error"[\s\S]*?"error"\s*:\s*"((?:[^"\\]|\\.)*)"/
/** A table of `error` and `reference`. */
const INFLUX = /^(?:#[^\n]*\n)*,error,reference\r?\n,("(?:[^"]|"")*"|[^,\n]*)/
const NOW = /^[a-zA-Z_:][\w:]*(?:\{.*\})?[ \t]+[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|NaN|Inf)\s*$/i
