/**
 * Server-sent events, followed by `fetch`: unlike `EventSource` this goes on behind the last event whatever ended the stream, an
 * answer of 503 included, and takes a silent connection for a lost one.
 */
export interface Told {
  event(name: string, data: string): void
  /** Whether the connection is lost; it is tried again by itself. */
  lost(isLost: boolean): void
}

/** Between two tries. */
const RETRY_MS = 1_000
/** The server says something every ten seconds at least. */
const SILENT_MS_MAX = 25_000

/** Follows the events of a path until the result is called. */
export function followEvents(path: string, told: Told): () => void {
  const ended = new AbortController()
  void (async () => {
    let lastId = ''
    while (!ended.signal.aborted) {
      const isOrderly = await followOnce(path, ended.signal, lastId, told).then(
        (id) => {
          lastId = id
          return true
        },
        (broken: Broken) => {
          lastId = broken.lastId ?? lastId
          return false
        },
      )
      if (ended.signal.aborted) return
      if (!isOrderly) told.lost(true)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  })()
  return () => ended.abort()
}

/** What broke a stream, and the last id that came before. */
class Broken extends Error {
  readonly lastId: string
  constructor(lastId: string) {
    super('the stream broke')
    this.lastId = lastId
  }
}

/** Follows one answer to its end; the last id. Throws `Broken`. */
async function followOnce(path: string, ended: AbortSignal, lastId: string, told: Told): Promise<string> {
  const one = new AbortController()
  const abort = () => one.abort()
  ended.addEventListener('abort', abort)
  let timer = setTimeout(abort, SILENT_MS_MAX)
  const parser = new EventParser(lastId, told)
  try {
    const response = await fetch(path, {
      headers: { accept: 'text/event-stream', ...(lastId !== '' && { 'last-event-id': lastId }) },
      cache: 'no-store',
      signal: one.signal,
    })
    if (!response.ok || response.body === null) throw new Error(response.statusText)
    told.lost(false)
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return parser.lastId
      clearTimeout(timer)
      timer = setTimeout(abort, SILENT_MS_MAX)
      parser.push(value)
    }
  } catch {
    throw new Broken(parser.lastId)
  } finally {
    clearTimeout(timer)
    ended.removeEventListener('abort', abort)
  }
}

/** Takes a stream of events apart, however it is cut. */
export class EventParser {
  lastId: string
  readonly #told: Pick<Told, 'event'>
  #rest = ''
  #id: string
  #name = ''
  #data: string[] = []

  constructor(lastId: string, told: Pick<Told, 'event'>) {
    this.lastId = lastId
    this.#id = lastId
    this.#told = told
  }

  push(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines) this.#line(line.replace(/\r$/, ''))
  }

  #line(line: string): void {
    if (line === '') {
      this.#dispatch()
      return
    }
    const at = line.indexOf(':')
    const field = at < 0 ? line : line.slice(0, at)
    const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '')
    if (field === 'id') this.#id = value
    else if (field === 'event') this.#name = value
    else if (field === 'data') this.#data.push(value)
  }

  /** An event counts once it is whole: before, its id is none to go on from. */
  #dispatch(): void {
    if (this.#data.length > 0) this.#told.event(this.#name || 'message', this.#data.join('\n'))
    this.lastId = this.#id
    this.#name = ''
    this.#data = []
  }
}
