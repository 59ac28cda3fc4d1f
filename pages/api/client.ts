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

/** Asks for JSON. Throws `ApiError` with the server's sentence, or one of status 0 where there is no server. */
export async function ask<T>(path: string, params: Params = {}, signal?: AbortSignal): Promise<T> {
  let response: Response
  try {
    response = await fetch(pathOf(path, params), {
      headers: { accept: 'application/json' },
      signal: signal ?? null,
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'The server cannot be reached.', 'It is tried again by itself.')
  }
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
