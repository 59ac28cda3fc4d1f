import { ago, bytesText, count, lagText, roughly } from '../time/words.ts'
import type { Agents, LayerName, Status } from './status.ts'

/** One figure of a layer: what it is called, what it is, and its path in the answer of the API. */
export type Fact = readonly [title: string, value: string, path: string]

const rate = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })

/** The few figures of a layer that tell how it does. */
export function factsOf(layer: LayerName, status: Status, agents: Agents | null): readonly Fact[] {
  const { collector, log, lake, batch, speed, serving, storage } = status
  if (layer === 'agents') {
    const furthest = agents?.agents[0]?.lag_ms ?? null
    return [
      ['Connected', agents === null ? '–' : count(agents.total), 'agents/total'],
      ['Newest message, at worst', furthest === null ? '–' : `${roughly(furthest)} old`, ''],
      ['Samples lost', count(collector?.lost_by_agents ?? 0), 'collector/lost_by_agents'],
    ]
  }
  if (layer === 'collector' && collector !== undefined)
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
  if (layer === 'lake' && lake !== undefined)
    return [
      ['Sealed', lagText(lake), 'lake/lag_blocks'],
      ...Object.entries(lake.versions).map(
        ([dataset, version]): Fact => [`Version of ${dataset}`, count(version), `lake/versions/${dataset}`],
      ),
      [
        'On disk',
        storage?.lake_bytes === undefined ? '–' : bytesText(storage.lake_bytes),
        'storage/lake_bytes',
      ],
    ]
  if (layer === 'batch')
    return [
      ['Tidemark', batch.lag_blocks === undefined ? '–' : lagText(batch), 'batch/lag_blocks'],
      ['Last run', lastRun(status), 'batch/last/result'],
      ['Next run', batch.next == null ? '–' : `in ${roughly(untilMs(batch.next, status))}`, ''],
    ]
  if (layer === 'speed' && speed !== undefined)
    return [
      ['Folded', lagText(speed), 'speed/lag_blocks'],
      ['Open cells', count(speed.chains.reduce((sum, { open_cells }) => sum + open_cells, 0)), ''],
    ]
  if (layer === 'serving')
    return [
      ['Answers', serving.lag_blocks === undefined ? '–' : lagText(serving), 'serving/lag_blocks'],
      ['Views', count(serving.views.length), ''],
      ['Ticks merged', count(serving.views.reduce((sum, { ticks }) => sum + ticks, 0)), ''],
    ]
  return []
}

function lastRun({ batch, time }: Status): string {
  const { last } = batch
  if (last == null) return 'none since the start'
  return `${last.result.replaceAll('_', ' ')} ${ago(Date.parse(time) - Date.parse(last.ended))}`
}

const untilMs = (next: string, { time }: Status) => Math.max(0, Date.parse(next) - Date.parse(time))
