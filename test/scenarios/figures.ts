import { answerFields, type GaugeAnswer } from '../../schemas/gauge-answer.ts'
import type { Stats } from '../../serving/answers.ts'

/** One gauge's part of an answer by what it says; null where there was no value. */
export interface Figures {
  readonly total: number
  readonly max: number | null
  readonly maxTimeMs: number | null
  readonly source: string | null
}

export function figuresOf({ view, gauges }: Stats, g: number): Figures {
  const fields = answerFields(view, g).map(({ name }) => name)
  const at = (name: string) => (gauges[g] as GaugeAnswer)[fields.indexOf(name)] ?? null
  return {
    total: at('total') as number,
    max: at('max') as number | null,
    maxTimeMs: at('max_time') as number | null,
    source: view.source === null ? null : (at(`max_${view.source}`) as string | null),
  }
}
