import { CellFold } from '../../schemas/cell-fold.ts'
import { host } from '../../schemas/datasets/host.ts'
import { type Columns, type Message, toColumns } from '../../schemas/message.ts'
import { MINUTE_MS } from '../../schemas/time.ts'
import { defineView, type View } from '../../schemas/view.ts'
import { machine, median } from '../measure.ts'

/**
 * The fold alone: what a message costs that is added to the open cells, a tick of them at the end included, with percentiles
 * and without, against totals that are added up in plain arrays. Short rounds in turn: whatever slows the machine for a while
 * slows all.
 */
const SERVICES = 20
const HOSTS = 400
/** As the collector makes them. */
const BLOCK_MESSAGES = 50

const WITHOUT = defineView(host, { name: 'without', key: ['service'] })
const WITH = defineView(host, { name: 'with', key: ['service'], quantiles: true })

/** One kind of messages: nanoseconds a message, and ratios within the same rounds. */
export interface Folding {
  readonly messages: string
  readonly cells: number
  readonly plainNs: number
  readonly withoutNs: number
  readonly withNs: number
  readonly withOverWithout: number
  readonly withOverPlain: number
}

/** What arrives now goes into few cells, what comes from a spool into many. */
const KINDS: readonly { readonly messages: string; readonly everyMs: number }[] = [
  { messages: 'of one minute', everyMs: 0 },
  { messages: 'some a cell', everyMs: 1_000 },
  { messages: 'one a cell', everyMs: MINUTE_MS },
]

export function benchFold(rounds: number, messages: number): Folding[] {
  return KINDS.map(({ messages: name, everyMs }) => measure(name, blocksOf(messages, everyMs), rounds))
}

/** Messages of the services in turn, those of one service `everyMs` apart, with gauges that have three decimals. */
function blocksOf(messages: number, everyMs: number): Columns[] {
  let state = 1
  const gauge = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * 90_000 + 10_000) / 1_000
  }
  const message = (i: number): Message => ({
    names: [`service-${i % SERVICES}`, `host-${i % HOSTS}`],
    timeMs: Math.floor(i / SERVICES) * everyMs,
    gauges: [gauge(), gauge(), gauge()],
    agent: null,
    seq: null,
  })
  return Array.from({ length: Math.ceil(messages / BLOCK_MESSAGES) }, (_, block) =>
    toColumns(
      host,
      Array.from({ length: BLOCK_MESSAGES }, (_, i) => message(block * BLOCK_MESSAGES + i)),
    ),
  )
}

function measure(messages: string, blocks: readonly Columns[], rounds: number): Folding {
  const count = blocks.length * BLOCK_MESSAGES
  const nsOf = (work: () => void) => {
    const before = performance.now()
    work()
    return ((performance.now() - before) * 1e6) / count
  }
  let cells = 0
  const fold = (view: View) => () => {
    const into = new CellFold(view)
    for (const block of blocks) into.addAll(block)
    cells = into.cells().length
  }
  const measured = Array.from({ length: rounds }, () => ({
    plain: nsOf(() => addUp(blocks)),
    without: nsOf(fold(WITHOUT)),
    with: nsOf(fold(WITH)),
  }))
  const of = (value: (round: (typeof measured)[number]) => number) => median(measured.map(value))
  return {
    messages,
    cells,
    plainNs: of((round) => round.plain),
    withoutNs: of((round) => round.without),
    withNs: of((round) => round.with),
    withOverWithout: of((round) => round.with / round.without),
    withOverPlain: of((round) => round.with / round.plain),
  }
}

/** Number and totals by service in plain arrays: what a fold costs at least. */
function addUp(blocks: readonly Columns[]): Float64Array {
  const places = new Map<string, number>()
  const sums = new Float64Array(4 * SERVICES)
  for (const { length, names, gauges } of blocks) {
    const { dictionary, places: at } = names[0]!
    const rows = dictionary.map((name) => {
      if (!places.has(name)) places.set(name, places.size)
      return places.get(name)!
    })
    const [a, b, c] = gauges as [Float64Array, Float64Array, Float64Array]
    for (let i = 0; i < length; i++) {
      const row = 4 * rows[at[i]!]!
      sums[row]! += 1
      sums[row + 1]! += a[i]!
      sums[row + 2]! += b[i]!
      sums[row + 3]! += c[i]!
    }
  }
  return sums
}

export function foldText(kinds: readonly Folding[]): string {
  const lines = kinds.map((kind) => {
    const { messages, cells, plainNs, withoutNs, withNs, withOverWithout, withOverPlain } = kind
    const ns = (value: number) => `${value.toFixed(0)} ns`
    const times = `plain totals ${ns(plainNs)}, a view without percentiles ${ns(withoutNs)}, with ${ns(withNs)}`
    const ratios = `with / without = ${withOverWithout.toFixed(1)}, with / plain = ${withOverPlain.toFixed(0)}`
    return `fold, messages ${messages.padEnd(14)} ${times} a message; ${ratios}; ${cells.toLocaleString('en')} cells`
  })
  return [machine(), '', ...lines].join('\n')
}
