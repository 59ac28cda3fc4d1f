/**
 * The numbers in `status` as Prometheus text: `{ speed: { lagBlocks: 3 } }` is `tidemark_speed_lag_blocks 3`. Objects in a list have
 * their texts as labels, and positions a label `partition`. Whatever is no finite number is left out.
 */
export function metricsText(prefix: string, status: object): string {
  const samples = new Map<string, string[]>()
  const add = (name: string, labels: Labels, value: number) => {
    const text = labels.map(([label, of]) => `${label}="${escaped(of)}"`).join(',')
    const line = `${name}${text === '' ? '' : `{${text}}`} ${value}`
    const known = samples.get(name)
    if (known === undefined) samples.set(name, [line])
    else known.push(line)
  }
  const walk = (name: string, value: unknown, labels: Labels) => {
    if (typeof value === 'number' && Number.isFinite(value)) add(name, labels, value)
    else if (typeof value === 'boolean') add(name, labels, value ? 1 : 0)
    else if (Array.isArray(value)) for (const one of value) walk(name, one, [...labels, ...labelsOf(one)])
    else if (typeof value === 'object' && value !== null)
      for (const [key, part] of Object.entries(value)) {
        if (/^-?\d+$/.test(key)) walk(name, part, [...labels, ['partition', key]])
        else if (/^\w+$/.test(key)) walk(`${name}_${snake(key)}`, part, labels)
      }
  }
  walk(prefix, status, [])
  return [...samples].map(([name, lines]) => `# TYPE ${name} gauge\n${lines.join('\n')}\n`).join('')
}

type Labels = readonly (readonly [label: string, value: string])[]

function labelsOf(one: unknown): Labels {
  if (typeof one !== 'object' || one === null) return []
  return Object.entries(one).flatMap(([key, value]) =>
    typeof value === 'string' ? [[snake(key), value] as const] : [],
  )
}

function snake(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
