import { diffVersions, type VersionDiff } from '../../../lake/query/diff.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { presentDiff } from '../../../serving/http/routes/diff.ts'
import type { Args, Io } from '../../command.ts'
import { publishedTable } from '../../compose/queries.ts'
import { textTable } from '../../help.ts'
import { amount } from '../amount.ts'
import { withQueries } from '../with-queries.ts'

/** `tidemark runs diff A B`: what changed between two published versions of a view. */
export async function diffCommand({ flags, operands, settings }: Args, io: Io): Promise<number> {
  const [word, a, b, ...more] = operands
  const isVersion = (text: string | undefined) => text !== undefined && /^\d{1,15}$/.test(text)
  if (word !== 'diff' || !isVersion(a) || !isVersion(b) || more.length > 0)
    throw new TidemarkError(
      'E_USAGE',
      'say `tidemark runs`, `tidemark runs diff A B` with two versions of a view, or `tidemark runs cancel`',
    )
  return withQueries(settings, io, async (queries, tables, signal) => {
    const table = publishedTable(tables, flags.view ?? null)
    if (table === null)
      throw new TidemarkError(
        'E_USAGE',
        `there is no view ${flags.view}; \`tidemark datasets\` lists those there are`,
      )
    const diff = await diffVersions(queries, table, { a: Number(a), b: Number(b) }, signal)
    io.out(flags.json === undefined ? diffText(diff) : `${JSON.stringify(presentDiff(diff))}\n`)
    return 0
  })
}

/** What differs of the definitions but for scales, and by what cells are then compared. */
function shapeText(key: readonly string[], a: VersionDiff['a'], b: VersionDiff['a']): string {
  const without = (all: readonly string[], some: readonly string[]) =>
    all.filter((one) => !some.includes(one))
  const [came, went] = [without(b.gauges, a.gauges), without(a.gauges, b.gauges)]
  const isKeyed = String(a.key) !== String(b.key)
  return [
    ...(isKeyed
      ? [`The key was ${a.key.join(', ')} and is ${b.key.join(', ')}; compared by ${key.join(', ')}.\n`]
      : []),
    ...(came.length === 0 ? [] : [`Gauges that came: ${came.join(', ')}.\n`]),
    ...(went.length === 0 ? [] : [`Gauges that went: ${went.join(', ')}.\n`]),
  ].join('')
}

/** Keys that are shown to people. */
const SHOWN_MAX = 20

function diffText({ view, key, a, b, cells, gauges, keys }: VersionDiff): string {
  const side = (one: VersionDiff['a']) =>
    `version ${one.version}: ${amount(one.cells, 'cell')}, ${amount(one.messages, 'message')}, definition ${one.definition.slice(0, 12)}`
  const head = `${view}\n  ${side(a)}\n  ${side(b)}\n${shapeText(key, a, b)}`
  const { added, removed, changed } = cells
  if (added + removed + changed === 0) return `${head}Nothing changed.\n`
  const gaugeRows = gauges.map(({ gauge, changed: n, totalA, totalB, most }) => [
    gauge,
    String(n),
    String(totalA),
    String(totalB),
    most === null ? '' : `${most.key.join(', ')} at ${most.time}: ${most.a} became ${most.b}`,
  ])
  const keyRows = keys
    .slice(0, SHOWN_MAX)
    .map((one) => [
      one.key.join(', '),
      String(one.changed),
      String(one.added),
      String(one.removed),
      `${one.messagesA} became ${one.messagesB}`,
    ])
  return [
    head,
    `${amount(changed, 'cell')} changed, ${added} came, ${removed} went.\n\n`,
    textTable([['gauge', 'cells that differ', 'their total', 'became', 'most'], ...gaugeRows]),
    '\n',
    textTable([['key', 'changed', 'came', 'went', 'messages of these cells'], ...keyRows]),
  ].join('')
}
