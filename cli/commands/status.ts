import { TidemarkError } from '../../schemas/errors.ts'
import type { Args, Command, Io } from '../command.ts'
import { textTable } from '../help.ts'
import { nodeDisk } from '../host/disk.ts'
import { askRunning } from './ask.ts'

export const status: Command = {
  name: 'status',
  summary: "Every layer's state, of the `tidemark up` that runs on a data directory",
  flags: [{ name: 'json', about: 'As JSON' }],
  settings: ['data'],
  example: 'tidemark status --data ./data',
  run,
}

const ANSWER_MS_MAX = 10_000

async function run({ flags, settings }: Args, io: Io): Promise<number> {
  const request = { method: 'GET', timeoutMs: ANSWER_MS_MAX } as const
  const answer = await askRunning(nodeDisk(), settings.dataDir(), '/v1/status', request)
  if (answer === null)
    throw new TidemarkError(
      'E_CONNECT',
      `no tidemark up runs on ${settings.dataDir()}; start one, or give --data`,
    )
  const layers = answer as Status
  io.out(flags.json === undefined ? statusTable(layers) : `${JSON.stringify(answer, null, 2)}\n`)
  return Object.values(layers).some((layer) => isFailing(layer)) ? 1 : 0
}

type Figures = { readonly [figure: string]: unknown }
type Status = { readonly [layer: string]: Figures | readonly Figures[] | string }

function isFailing(layer: Status[string]): boolean {
  return isFigures(layer) && ['failing', 'failed', 'disk_full', 'waiting'].includes(String(layer.state))
}

function isFigures(layer: Status[string]): layer is Figures {
  return typeof layer === 'object' && !Array.isArray(layer)
}

/** One row a layer: its state, and its plain figures. What a dataset takes in the lake is a row a dataset, without a state. */
export function statusTable(layers: Status): string {
  const rows = Object.entries(layers).flatMap(([name, layer]) => {
    if (Array.isArray(layer)) return layer.map((one: Figures) => [name, '', figuresText(one)])
    if (!isFigures(layer)) return []
    const { state, reason, ...rest } = layer
    const figures = [reason, figuresText(rest)]
    return [[name, String(state), figures.filter((part) => part).join(', ')]]
  })
  return textTable([['layer', 'state', 'figures'], ...rows])
}

function figuresText(figures: Figures): string {
  return Object.entries(figures)
    .filter(([, value]) => value !== null && typeof value !== 'object')
    .map(([figure, value]) => `${figure} ${typeof value === 'number' ? numberText(value) : value}`)
    .join(', ')
}

/** Three digits of what is no whole number, as a price. */
function numberText(value: number): string {
  if (Number.isInteger(value)) return String(value)
  return Math.abs(value) >= 100 ? String(Math.round(value)) : value.toPrecision(3)
}
