import { useEffect, useState } from 'preact/hooks'
import { pathOf } from './client.ts'
import type { Cell, View } from './types.ts'
import { keyId, keyOf } from './types.ts'

/** The newest cell of each key of a view, by `keyId`. */
export type Newest = ReadonlyMap<string, Cell>

/** How often what came is shown. */
const SHOW_MS = 500
/** After an error that the browser does not mend by itself. */
const RETRY_MS = 3_000

/** Follows the newest cells of a view; `lost` while the connection is. */
export function useLive(view: View | null): { newest: Newest; lost: boolean } {
  const [newest, setNewest] = useState<Newest>(new Map())
  const [lost, setLost] = useState(false)
  useEffect(() => {
    if (view === null) return
    let source: EventSource
    let timer = 0
    let shows = 0
    const all = new Map<string, Cell>()
    const show = () => {
      shows = 0
      setNewest(new Map(all))
    }
    const open = () => {
      source = new EventSource(pathOf('/v1/live', { view: view.name }))
      source.addEventListener('open', () => setLost(false))
      source.addEventListener('cells', (event) => {
        for (const cell of (JSON.parse(event.data) as { cells: Cell[] }).cells) {
          const id = keyId(keyOf(view, cell))
          if ((all.get(id)?.time_stamp ?? '') <= cell.time_stamp) all.set(id, cell)
        }
        if (shows === 0) shows = window.setTimeout(show, SHOW_MS)
      })
      source.addEventListener('error', () => {
        setLost(true)
        if (source.readyState === EventSource.CLOSED) timer = window.setTimeout(open, RETRY_MS)
      })
    }
    open()
    return () => {
      source.close()
      window.clearTimeout(timer)
      window.clearTimeout(shows)
    }
  }, [view?.name])
  return { newest, lost }
}
