import { host as hosts } from '../../schemas/datasets/host.ts'
import { type Message, toLine } from '../../schemas/message.ts'

/** The host that a collector fills in for who names none: simulated connections come from there. */
export const SENDER_ADDRESS = '127.0.0.1'

/** Chance from 0 to 1. */
type Roll = () => number

const USUAL_SHARE = 0.6
const ODD_SHARE = 0.3
const SPACES = [' ', '\t', ' \r', '  ']
/** Fields that mean nothing, and first values of fields that come again: the last counts. */
const EXTRAS = [
  '"x":null',
  '"cpus":{"cpu":[-1,"}"]}',
  '"__proto__":{"cpu":9}',
  '"cpu":"9"',
  '"service":"\\""',
]

/**
 * A message as a line in one of the many ways that mean the same: mostly as agents write it; else with other orders of keys,
 * spaces, numbers and times in other notations, escapes, fields that mean nothing.
 */
export function shapedLine(message: Message, roll: Roll): string {
  if (roll() < USUAL_SHARE) return toLine(hosts, message)
  const { timeMs, seq } = message
  const [service, host] = message.names as [string, string]
  const fields = hosts.gauges.map(({ name }, g): [string, string] => [
    name,
    numberText(message.gauges[g]!, roll),
  ])
  fields.push(['service', nameText(service, roll)], ['time_stamp', timeText(timeMs, roll)])
  if (host !== SENDER_ADDRESS || roll() < 0.5) fields.push(['host', nameText(host, roll)])
  if (seq !== null) fields.push(['seq', odd(roll) ? `${seq}.0` : `${seq}`])
  if (odd(roll)) shuffle(fields, roll)
  const spaced = odd(roll)
  const space = () => (spaced && odd(roll) ? pick(SPACES, roll) : '')
  const parts = fields.map(
    ([name, value]) => `${space()}${nameText(name, roll)}${space()}:${space()}${value}`,
  )
  if (odd(roll)) parts.unshift(pick(EXTRAS, roll))
  return `${space()}{${parts.join(`${space()},`)}${space()}}${space()}`
}

/** Any number that is not negative, in a notation that reads as the same double. */
function numberText(value: number, roll: Roll): string {
  if (!odd(roll)) return JSON.stringify(value)
  if (value === 0) return pick(['-0', '0.000', '0e5', '0E-400', '-0.0e+1', `0.${'0'.repeat(30)}`], roll)
  const [digits, exponent] = value.toExponential().split('e') as [string, string]
  const fraction = (digits.split('.')[1] ?? '').length
  return pick(
    [
      value.toExponential(),
      `${digits}E${exponent.replace('+', '+0')}`,
      value.toPrecision(17),
      value.toPrecision(19),
      value.toPrecision(40),
      `${digits.replace('.', '')}e${Number(exponent) - fraction}`,
      `${digits.replace('.', '')}000E${Number(exponent) - fraction - 3}`,
    ],
    roll,
  )
}

/** The time in a notation that reads as the same millisecond. */
function timeText(timeMs: number, roll: Roll): string {
  const iso = new Date(timeMs).toISOString()
  if (!odd(roll)) return `"${iso}"`
  const zoneMinutes = pick([-570, -60, 60, 825], roll)
  const there = new Date(timeMs + zoneMinutes * 60_000).toISOString().slice(0, -1)
  const zone = [Math.floor(Math.abs(zoneMinutes) / 60), Math.abs(zoneMinutes) % 60].map(twoDigits)
  return pick(
    [
      `${timeMs}`,
      `${timeMs}.999`,
      `${timeMs / 1_000}e3`,
      `${timeMs}000E-3`,
      `"${iso.slice(0, -1)}999Z"`,
      `"${iso.slice(0, -1).replace('.', ',')}Z"`,
      `"${iso.replace('.000Z', 'Z')}"`,
      `"${there}${zoneMinutes < 0 ? '-' : '+'}${zone.join(':')}"`,
      `"${there}${zoneMinutes < 0 ? '-' : '+'}${zone.join('')}"`,
      `"${iso.replace('T', '\\u0054')}"`,
    ],
    roll,
  )
}

/** The text as a JSON string, some of it escaped. */
function nameText(text: string, roll: Roll): string {
  if (roll() < 0.9) return JSON.stringify(text)
  const escaped = Array.from({ length: text.length }, (_, i) => {
    const code = text.charCodeAt(i).toString(16).padStart(4, '0')
    return `\\u${roll() < 0.5 ? code : code.toUpperCase()}`
  })
  return `"${escaped.join('')}"`
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0')
}

function odd(roll: Roll): boolean {
  return roll() < ODD_SHARE
}

function pick<T>(list: readonly T[], roll: Roll): T {
  return list[Math.floor(roll() * list.length)]!
}

function shuffle<T>(list: T[], roll: Roll): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(roll() * (i + 1))
    const held = list[i]!
    list[i] = list[j]!
    list[j] = held
  }
}
