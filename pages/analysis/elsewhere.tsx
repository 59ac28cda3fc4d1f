import { useEffect } from 'preact/hooks'
import { ask } from '../api/client.ts'
import type { Page, Summary } from '../api/types.ts'
import { useAnswer } from '../api/use-answer.ts'
import { go, newRange, withParams } from '../shell/address.ts'
import type { Shown } from '../shell/context.ts'
import { dateOf } from '../time/range.ts'
import { minute } from '../time/words.ts'

const DAY_MS = 86_400_000

/** A range that holds nothing says where the data is, and leads there; an address that names no range goes there by itself. */
export function Elsewhere({ shown, of }: { shown: Shown; of?: { readonly [column: string]: string } }) {
  const { address, view, zone } = shown
  const { data } = useAnswer(`last ${view.name} ${JSON.stringify(of)}`, (signal) =>
    ask<Page & { keys: readonly Summary[] }>(
      `/v1/views/${view.name}/keys`,
      { ...of, sort: '-last_minute', limit: 1 },
      signal,
    ),
  )
  const last = data?.keys[0]
  const lastMs = last === undefined ? 0 : Date.parse(last.last_minute)
  const there = withParams(
    address,
    newRange({ from: dateOf(lastMs - 6 * DAY_MS, zone), to: dateOf(lastMs, zone) }),
  )
  const isNamed = ['from', 'to', 'last'].some((name) => address.params.has(name))
  useEffect(() => {
    if (last !== undefined && !isNamed) go(there, { replace: true })
  }, [last, isNamed, there])
  return (
    <div class="notice" role="status">
      <p>No messages in this range ({zone}).</p>
      {data !== null && last === undefined && (
        <p>
          None ever came{of === undefined ? '' : ' under this name'}. <a href="/">Home</a> says how to send
          the first one.
        </p>
      )}
      {last !== undefined && (
        <p>
          The last one is of {minute(lastMs, zone)}. <a href={there}>Show the week up to it</a>
        </p>
      )}
    </div>
  )
}
