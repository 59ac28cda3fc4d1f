import type { ComponentChildren } from 'preact'
import type { ApiError } from '../api/client.ts'
import type { Whole } from '../api/types.ts'
import { minute, sentence } from '../time/words.ts'

/** Something that must be read before the rest. */
export function Notice({ children }: { children: ComponentChildren }) {
  return (
    <div class="notice" role="alert">
      {children}
    </div>
  )
}

/** Why there is no answer, and what to do; nothing where the server is away, which `Lost` says. */
export function Problem({ error }: { error: Error | null }) {
  const { message, hint = '', status } = (error ?? {}) as Partial<ApiError>
  if (message === undefined || status === 0) return null
  return (
    <Notice>
      {sentence(message)} {sentence(hint)}
    </Notice>
  )
}

/** An answer that lacks something says so before any figure. */
export function Incomplete({ whole, zone }: { whole: Whole | null; zone: string }) {
  if (whole === null || whole.complete) return null
  const when = (time: string | null) => (time === null ? '…' : minute(Date.parse(time), zone))
  return (
    <Notice>
      <strong>These figures are not complete:</strong>
      <ul>
        {(whole.gaps ?? []).map(({ reason, from_time, to_time }) => (
          <li>
            {reason}
            {(from_time !== null || to_time !== null) && ` (${when(from_time)} to ${when(to_time)})`}
          </li>
        ))}
      </ul>
    </Notice>
  )
}

/** The connection is lost: what is shown is the last that was known. */
export function Lost({ lost }: { lost: boolean }) {
  return (
    <p class={lost ? 'lost' : 'lost hidden'} role="status">
      {lost ? 'The connection is lost; it is tried again by itself. Figures are the last known.' : ''}
    </p>
  )
}
