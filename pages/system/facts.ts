import { ago, bytesText, count, lagText, roughly } from '../time/words.ts'
import { type Agents, isHere, type LayerName, type Position, type Status } from './status.ts'

/** One figure of a layer: what it is called, what it is, and its path in the answer of the API. */
export type Fact = readonly [title: string, value: string, path: string]

const rate = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })

/** The few figures of a layer that tell how it does. */
export function factsOf(layer: LayerName, status: Status, agents: Agents | null): readonly Fact[] {
  const { collector, log, lake, batch, speed, serving, storage } = status
  if (layer === 'agents' && isHere(collector)) {
    const furthest = agents?.agents[0]?.lag_ms ?? null
    return [
      ['Connected', agents === null ? '–' : count(agents.total), 'agents/total'],
      ['Furthest behind', furthest === null ? '–' : roughly(furthest), ''],
      ['Samples lost', count(collector.lost_by_agents), 'collector/lost_by_agents'],
    ]
  }
  if (layer === 'collector' && isHere(collector))
    return [
      ['Messages a second', rate.format(collector.messages_per_second), 'collector/messages_per_second'],
      ['Accepted', count(collector.accepted), 'collector/accepted'],
      ['Refused', count(collector.refused), 'collector/refused'],
      ['Repeats', count(collector.repeats), 'collector/repeats'],
    ]
  if (layer === 'log' && log.end !== undefined)
    return [
      ['Ends at block', log.end < 0 ? 'none yet' : count(log.end), 'log/end'],
      ['On disk', bytesText(log.bytes ?? 0), 'log/bytes'],
      ['Not durable yet', bytesText(log.pending_bytes ?? 0), 'log/pending_bytes'],
      ['Not in the lake yet', bytesText(log.unsealed_bytes ?? 0), 'log/unsealed_bytes'],
    ]
  if (layer === 'log' && log.known_to !== undefined)
    return [['Known up to', blocksText(log.known_to), 'log/known_to']]
  if (layer === 'lake')
    return [
      ['Sealed', lagText(lake), 'lake/lag_blocks'],
      ...Object.entries(lake.versions).map(
        ([dataset, version]): Fact => [`Version of ${dataset}`, count(version), `lake/versions/${dataset}`],
      ),
      [
        'On disk',
        bytesText(storage?.lake_bytes ?? status.stored.reduce((sum, { bytes }) => sum + bytes, 0)),
        'storage/lake_bytes',
      ],
    ]
  if (layer === 'batch')
    return [
      ...(batch.lag_blocks === undefined ? [] : [['Tidemark', lagText(batch), 'batch/lag_blocks'] as const]),
      ['Last run', lastRun(status), 'batch/last/result'],
      ...(batch.next == null
        ? []
        : [['Next run', `in ${roughly(untilMs(batch.next, status))}`, ''] as const]),
    ]
  if (layer === 'speed' && !isHere(speed)) {
    const end = speed.at_log_end
    const text = end === null ? 'not yet' : ago(Date.parse(status.time) - Date.parse(end))
    return [['At the end of the log', text, 'speed/at_log_end']]
  }
  if (layer === 'speed' && isHere(speed))
    return [
      ['Folded', lagText(speed), 'speed/lag_blocks'],
      ['Open cells', count(speed.chains.reduce((sum, { open_cells }) => sum + open_cells, 0)), ''],
    ]
  if (layer === 'serving')
    return [
      ...(serving.lag_blocks === undefined
        ? []
        : [['Answers', lagText(serving), 'serving/lag_blocks'] as const]),
      ['Views', count(serving.views.length), ''],
      ['Ticks merged', count(serving.views.reduce((sum, { ticks }) => sum + ticks, 0)), ''],
    ]
  return []
}

/** The blocks up to a position. */
function blocksText(position: Position): string {
  const offsets = Object.values(position)
  const blocks = offsets.reduce((sum, offset) => sum + offset + 1, 0)
  return `${count(blocks)} ${blocks === 1 ? 'block' : 'blocks'}, ${count(offsets.length)} ${offsets.length === 1 ? 'partition' : 'partitions'}`
}

function lastRun({ batch, time }: Status): string {
  const { last } = batch
  if (last == null) return 'none since the start'
  return `${last.result.replaceAll('_', ' ')} ${ago(Date.parse(time) - Date.parse(last.ended))}`
}

const untilMs = (next: string, { time }: Status) => Math.max(0, Date.parse(next) - Date.parse(time))
