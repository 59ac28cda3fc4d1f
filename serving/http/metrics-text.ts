/**
 * What becomes a label: names that a deployment has a handful of. Ids, times, reasons and addresses never do, since each value
 * that ever was is a series of its own.
 */
const LABELS = ['code', 'view', 'dataset', 'definition', 'hash', 'partition', 'operation']

/** Figures that only grow while a process lives: Prometheus wants their names to end with `_total`. */
const COUNTERS = new Set([
  'accepted',
  'acked',
  'batches_folded',
  'blocks_asked',
  'bytes_received',
  'bytes_sent',
  'clock_refusals',
  'ignored_fields',
  'jobs_started',
  'lost',
  'lost_by_agents',
  'rate_limited',
  'read_operations',
  'records_given',
  'refused',
  'repeats',
  'requests',
  'too_many_names',
  'unkept_rejects',
  'write_operations',
])
/** Names that mean something else to Prometheus: the end of a counter, a unit of time. */
const NAMES: { readonly [name: string]: string } = { total: 'planned', hours: 'recomputed' }

type Labels = readonly (readonly [label: string, value: string])[]

/**
 * The numbers in `status` as Prometheus text: `{ speed: { lagBlocks: 3 } }` is `tidemark_speed_lag_blocks 3`. Objects in a list
 * have the names in them as labels; what is in milliseconds is told in seconds, Prometheus' unit of time; and positions a label `partition`; of a list without such names its length is told.
 * Whatever is no finite number is left out.
 */
export function metricsText(prefix: string, status: object): string {
  const metrics = new Map<
    string,
    { readonly path: string; readonly type: string; readonly samples: Map<string, number> }
  >()
  const add = (path: readonly string[], labels: Labels, value: number) => {
    const isMs = /_ms$/.test(snake(path.at(-1)!))
    const words = path.map((key) => NAMES[key] ?? snake(key).replace(/_ms$/, '_seconds'))
    const isCounter = COUNTERS.has(words.at(-1)!)
    const name = [prefix, ...words, ...(isCounter ? ['total'] : [])].join('_')
    const known = metrics.get(name) ?? {
      path: path.join('.'),
      type: isCounter ? 'counter' : 'gauge',
      samples: new Map<string, number>(),
    }
    metrics.set(name, known)
    const text = labels.map(([label, of]) => `${label}="${escaped(of)}"`).join(',')
    // Two of the same name and labels would make all of it unreadable.
    known.samples.set(`${name}${text === '' ? '' : `{${text}}`}`, isMs ? value / 1_000 : value)
  }
  const walk = (path: readonly string[], value: unknown, labels: Labels) => {
    if (typeof value === 'number' && Number.isFinite(value)) add(path, labels, value)
    else if (typeof value === 'boolean') add(path, labels, value ? 1 : 0)
    else if (Array.isArray(value)) {
      const named = value.map(labelsOf)
      if (named.some((own) => own.length === 0) || value.length === 0) add(path, labels, value.length)
      else for (const [i, one] of value.entries()) walk(path, one, [...labels, ...named[i]!])
    } else if (typeof value === 'object' && value !== null)
      for (const [key, part] of Object.entries(value)) {
        if (/^-?\d+$/.test(key)) walk(path, part, [...labels, ['partition', key]])
        else if (/^\w+$/.test(key)) walk([...path, key], part, labels)
      }
  }
  walk([], status, [])
  return [...metrics]
    .map(([name, { path, type, samples }]) => {
      const lines = [...samples].map(([sample, value]) => `${sample} ${value}\n`).join('')
      return `# HELP ${name} ${path} of the state of the layers.\n# TYPE ${name} ${type}\n${lines}`
    })
    .join('')
}

function labelsOf(one: unknown): Labels {
  if (typeof one !== 'object' || one === null) return []
  const texts = one as { readonly [name: string]: unknown }
  return LABELS.flatMap((label) => {
    const value = texts[label]
    return typeof value === 'string' || typeof value === 'number' ? [[label, String(value)] as const] : []
  })
}

function snake(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
