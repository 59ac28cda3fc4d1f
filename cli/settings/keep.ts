import type { Keep, KeepRule } from '../../lake/expire/keep.ts'
import { parseDuration } from './values.ts'

const FOR_EVER = 'forever'

/**
 * How long messages are kept, as `lake.keep` says it: rules separated by commas, each a duration or `forever`, with `DATASET=` or
 * `DATASET/SERVICE=` in front for what it is about; names are percent-encoded where they hold one of `,=/%`. Null where it is none.
 */
export function parseKeep(text: string): Keep | null {
  const rules = text.split(',').map((rule) => parseRule(rule.trim()))
  const known = new Set(rules.map((rule) => rule && JSON.stringify([rule.dataset, rule.service])))
  return rules.includes(null) || known.size < rules.length ? null : (rules as Keep)
}

function parseRule(text: string): KeepRule | null {
  const [, dataset, service, time] = /^(?:([^=/]+)(?:\/([^=/]+))?=)?(\w+(?:\.\d+)?\w*)$/.exec(text) ?? []
  if (time === undefined) return null
  const keepMs = time === FOR_EVER ? null : parseDuration(time)
  if (keepMs === null && time !== FOR_EVER) return null
  try {
    const name = (encoded: string | undefined) => (encoded === undefined ? null : decodeURIComponent(encoded))
    return { dataset: name(dataset), service: name(service), keepMs }
  } catch {
    return null
  }
}
