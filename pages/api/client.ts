/** The public HTTP API, asked from a page of the same origin. */

export class ApiError extends Error {
  readonly status: number
  readonly hint: string
  constructor(status: number, message: string, hint: string) {
    super(message)
    this.status = status
    this.hint = hint
  }
}

export type Params = { readonly [name: string]: string | number | undefined }

/** A path with its parameters; those without a value are left out. */
export function pathOf(path: string, params: Params = {}): string {
  const given = Object.entries(params).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  )
  const query = new URLSearchParams(given).toString()
  return query === '' ? path : `${path}?${query}`
}

/** So long an answer may take: a server that is halted, or behind a network that swallows all, never says that it is away. */
const ANSWER_MS_MAX = 30_000

/** Asks for JSON. Throws `ApiError` with the server's sentence, or one of status 0 where no answer comes within `withinMs`. */
export async function ask<T>(
  path: string,
  params: Params = {},
  signal: AbortSignal = new AbortController().signal,
  withinMs = ANSWER_MS_MAX,
): Promise<T> {
  const ends = AbortSignal.any([signal, AbortSignal.timeout(withinMs)])
  try {
    return await askOnce<T>(pathOf(path, params), ends)
  } catch (error) {
    if (signal.aborted || error instanceof ApiError) throw error
    throw new ApiError(0, 'The server cannot be reached.', 'It is tried again by itself.')
  }
}

async function askOnce<T>(path: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(path, { headers: { accept: 'application/json' }, signal })
  if (response.status === 401) {
    const here = `${location.pathname}${location.search}`
    location.assign(pathOf('/sign-in', { return: here }))
  }
  if (!response.ok) {
    const problem = (await response.json().catch(() => ({}))) as { detail?: string; hint?: string }
    throw new ApiError(response.status, problem.detail ?? response.statusText, problem.hint ?? '')
  }
  return (await response.json()) as T
}
