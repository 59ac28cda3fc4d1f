import { ask } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { titleOf } from '../names/visible.ts'
import type { Shown } from '../shell/context.ts'
import { Lost, Notice } from '../shell/notice.tsx'
import { count, minute } from '../time/words.ts'

type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value }

const EVERY_MS = 2_000

/** The state of every layer as /v1/status tells it. */
export function SystemPage({ shown }: { shown: Shown }) {
  const status = useAnswer(
    'status',
    (signal) => ask<{ readonly [layer: string]: Value }>('/v1/status', {}, signal),
    EVERY_MS,
  )
  const lost = (status.error as { status?: number } | null)?.status === 0
  return (
    <>
      <h1>System</h1>
      <p class="lead">The state of every layer, as the data flows.</p>
      <Lost lost={lost} />
      {status.error !== null && !lost && <Notice>{status.error.message}</Notice>}
      <div class="layers">
        {Object.entries(status.data ?? {}).map(([layer, state]) => (
          <section class="card" key={layer}>
            <h2>{titleOf(layer)}</h2>
            <State value={state} zone={shown.zone} />
          </section>
        ))}
      </div>
    </>
  )
}

/** A value as a list of its parts. */
function State({ value, zone }: { value: Value; zone: string }) {
  if (value === null || typeof value !== 'object') return <p>{text(value, zone)}</p>
  if (Array.isArray(value) && value.every((one) => one === null || typeof one !== 'object'))
    return <p>{value.map((one) => text(one, zone)).join(', ') || '–'}</p>
  return (
    <dl class="facts">
      {Object.entries(value).map(([name, one]) => (
        <div key={name}>
          <dt>{titleOf(name)}</dt>
          <dd>
            {one !== null && typeof one === 'object' ? <State value={one} zone={zone} /> : text(one, zone)}
          </dd>
        </div>
      ))}
    </dl>
  )
}

function text(value: Value, zone: string): string {
  if (value === null || value === '') return '–'
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : value.toFixed(2)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*Z$/.test(value)) return minute(Date.parse(value), zone)
  return String(value)
}
