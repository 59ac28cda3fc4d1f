import { useEffect, useState } from 'preact/hooks'
import { followLive } from './shared-live.ts'
import type { Cell, Newest, View } from './types.ts'
import { keyId, keyOf } from './types.ts'

/** How often what came is shown. */
const SHOW_MS = 500

/** Follows the newest cells of a view; `lost` while the connection is. */
export function useLive(view: View | null): { newest: Newest; lost: boolean } {
  const [newest, setNewest] = useState<Newest>(new Map())
  const [lost, setLost] = useState(false)
  useEffect(() => {
    if (view === null) return
    let shows = 0
    const all = new Map<string, Cell>()
    const show = () => {
      shows = 0
      setNewest(new Map(all))
    }
    const leave = followLive({ view: view.name, key: view.key }, ({ cells = [], lost }) => {
      if (lost !== undefined) setLost(lost)
      for (const cell of cells) {
        const id = keyId(keyOf(view, cell))
        if ((all.get(id)?.time_stamp ?? '') <= cell.time_stamp) all.set(id, cell)
      }
      if (cells.length > 0 && shows === 0) shows = window.setTimeout(show, SHOW_MS)
    })
    return () => {
      leave()
      window.clearTimeout(shows)
    }
  }, [view?.name])
  return { newest, lost }
}
