import { gaugeNamed } from '../../schemas/dataset.ts'
import { answerFields, type GaugeAnswer } from '../../schemas/gauge-answer.ts'
import { splitKey } from '../../schemas/key.ts'
import { visible } from '../../schemas/shown.ts'
import type { Stats, ViewInfo } from '../answers.ts'
import { valueText } from './format.ts'
import { type Html, html } from './html.ts'

/** One gauge's part of an answer by what it says; null where there was no value. */
export interface Figures {
  readonly total: number
  readonly mean: number | null
  readonly max: number | null
  readonly maxTimeMs: number | null
  /** Of the maximum; null where the view names none. */
  readonly source: string | null
  readonly p95: number | null
}

export function figuresOf({ view, gauges }: Stats, g: number): Figures {
  const fields = answerFields(view, g).map(({ name }) => name)
  const at = (name: string) => (gauges[g] as GaugeAnswer)[fields.indexOf(name)] ?? null
  return {
    total: at('total') as number,
    mean: at('mean') as number | null,
    max: at('max') as number | null,
    maxTimeMs: at('max_time') as number | null,
    source: view.source === null ? null : (at(`max_${view.source}`) as string | null),
    p95: at('p95') as number | null,
  }
}

/** Names that are not words. */
const NAMES: { readonly [name: string]: string } = { cpu: 'CPU', ram: 'RAM' }

/** A column's name as pages write it: `Disk`, `Free memory`. */
export function titleOf(name: string): string {
  if (NAMES[name] !== undefined) return NAMES[name]
  const words = name.replaceAll('_', ' ')
  return words[0]!.toUpperCase() + words.slice(1)
}

/** A key as pages write it where there is no markup. */
export function keyText(key: string): string {
  return splitKey(key).map(visible).join(' · ')
}

/** A key within a sentence without markup: whatever its direction of writing, it turns nothing around it. */
export function isolated(key: string): string {
  return `\u2068${keyText(key)}\u2069`
}

/** A name as pages write it, likewise. */
export function nameHtml(name: string): Html {
  return html`<bdi>${visible(name)}</bdi>`
}

/** A key as pages write it. */
export function keyHtml(key: string): Html {
  return html`${splitKey(key).map((value, k) => html`${k > 0 && ' · '}${nameHtml(value)}`)}`
}

/** The unit of gauge `g` of a view, as its dataset defines it. */
export function unitOf({ view, dataset }: ViewInfo, g: number): string {
  return gaugeNamed(dataset, view.gauges[g]!.gauge).unit
}

/** A value of gauge `g` with its unit; a dash where there is none. */
export function gaugeText(info: ViewInfo, g: number, value: number | null): string {
  return valueText(value, unitOf(info, g))
}
