import { useEffect, useRef, useState } from 'preact/hooks'
import {
  dateOf,
  dayPresets,
  LAST,
  narrower,
  neighbour,
  type Range,
  rangeParams,
  wider,
} from '../time/range.ts'
import { isZone } from '../time/zone.ts'
import { type Address, go, newRange, withParams } from './address.ts'

interface Props {
  readonly address: Address
  readonly zone: string
  /** Null while the address names none that is right. */
  readonly range: Range | null
  readonly nowMs: number
}

type Move = (range: Range, zone: string, nowMs: number) => Range | null

/** To the range before and behind, to a shorter one and a longer one; their keys go there too. */
const MOVES: readonly (readonly [key: string, name: string, move: Move])[] = [
  ['[', '← Earlier', (range, zone, nowMs) => neighbour(range, zone, nowMs, -1)],
  [']', 'Later →', (range, zone, nowMs) => neighbour(range, zone, nowMs, 1)],
  ['+', 'Zoom in', narrower],
  ['-', 'Zoom out', (range, _, nowMs) => wider(range, nowMs)],
]

/** Two dates, of which the last is included, or one of the ranges that are asked for most; all in the address. */
export function RangePicker({ address, zone, range, nowMs }: Props) {
  const dates = {
    from: range === null ? (address.params.get('from') ?? '') : dateOf(range.fromMs, zone),
    to: range === null ? (address.params.get('to') ?? '') : dateOf(range.toMs - 1, zone),
  }
  const [from, setFrom] = useState(dates.from)
  const [to, setTo] = useState(dates.to)
  const [tz, setTz] = useState(zone)
  useEffect(() => {
    setFrom(dates.from)
    setTo(dates.to)
    setTz(zone)
  }, [dates.from, dates.to, zone])

  // What is no zone is said at its field, as browsers say what is no date.
  const zoneField = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const wrong = isZone(tz) ? '' : 'There is no such time zone; write one like Europe/Berlin or UTC.'
    zoneField.current!.setCustomValidity(wrong)
  }, [tz])

  const target = { ...address, path: '/analysis' }
  const submit = (event: Event) => {
    event.preventDefault()
    go(withParams(target, { ...newRange({ from, to }), tz }))
  }
  const days = dayPresets(nowMs, zone)
  const chosen =
    range?.last ??
    days.find((one) => one.from === dates.from && one.to === dates.to && range?.last === null)?.name
  // On a phone presets are one line that scrolls: the chosen one is seen.
  const presets = useRef<HTMLElement>(null)
  useEffect(() => {
    const line = presets.current!
    const one = line.querySelector<HTMLElement>('[aria-current]')
    if (one !== null) line.scrollLeft = one.offsetLeft - line.offsetLeft - one.offsetWidth / 2
  }, [chosen])
  return (
    <section class="card picker" aria-label="Range of time">
      <form class="range" onSubmit={submit}>
        <p>
          <label for="from">From</label>
          <input
            type="date"
            id="from"
            required
            value={from}
            onInput={(event) => setFrom(event.currentTarget.value)}
          />
        </p>
        <p>
          <label for="to">To, that day included</label>
          <input
            type="date"
            id="to"
            required
            value={to}
            min={from}
            onInput={(event) => setTo(event.currentTarget.value)}
          />
        </p>
        <p>
          <label for="tz">Time zone</label>
          <input
            ref={zoneField}
            id="tz"
            list="zones"
            autocomplete="off"
            spellcheck={false}
            value={tz}
            onInput={(event) => setTz(event.currentTarget.value)}
          />
        </p>
        <datalist id="zones">
          {['UTC', ...Intl.supportedValuesOf('timeZone')].map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <p>
          <button type="submit">Show analysis</button>
        </p>
        {address.path === '/analysis' && range !== null && (
          <nav class="presets moves" aria-label="From this range to others">
            {MOVES.map(([key, name, move]) => {
              const moved = move(range, zone, nowMs)
              return (
                moved !== null && (
                  <a key={name} data-key={key} href={withParams(target, newRange(rangeParams(moved, zone)))}>
                    {name}
                  </a>
                )
              )
            })}
          </nav>
        )}
      </form>
      <nav ref={presets} class="presets" aria-label="Ranges asked for often">
        {LAST.map(([last, name]) => (
          <a
            key={last}
            href={withParams(target, newRange({ last }))}
            aria-current={chosen === last ? 'true' : undefined}
          >
            {name}
          </a>
        ))}
        {days.map(({ name, ...range }) => (
          <a
            key={name}
            href={withParams(target, newRange(range))}
            aria-current={chosen === name ? 'true' : undefined}
          >
            {name}
          </a>
        ))}
      </nav>
    </section>
  )
}
