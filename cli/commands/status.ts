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
  const layers = answer as Record<string, Record<string, unknown> | string>
  io.out(flags.json === undefined ? table(layers) : `${JSON.stringify(answer, null, 2)}\n`)
  return Object.values(layers).some((layer) => isFailing(layer)) ? 1 : 0
}

function isFailing(layer: Record<string, unknown> | string): boolean {
  return (
    typeof layer === 'object' && ['failing', 'failed', 'disk_full', 'waiting'].includes(String(layer.state))
  )
}

/** One row a layer: its state, and its plain figures. */
function table(layers: Record<string, Record<string, unknown> | string>): string {
  const rows = Object.entries(layers).flatMap(([name, layer]) => {
    if (typeof layer === 'string') return []
    const { state, reason, ...rest } = layer
    const figures = Object.entries(rest)
      .filter(([, value]) => value !== null && typeof value !== 'object')
      .map(([figure, value]) => `${figure} ${value}`)
    return [[name, String(state), [reason, ...figures].filter((part) => part).join(', ')]]
  })
  return textTable([['layer', 'state', 'figures'], ...rows])
}
