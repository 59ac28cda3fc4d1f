import { useEffect, useState } from 'preact/hooks'
import { followLive } from './shared-live.ts'
import type { Cell, Newest, View } from './types.ts'
import { keyId, keyOf } from './types.ts'

/** How often what came is shown. */
const SHOW_MS = 500

/** The newest cells of a view, and of each key the one that the newest followed; `lost` while the connection is. */
interface Live {
  readonly newest: Newest
  readonly whole: Newest
  readonly lost: boolean
}

const NOTHING: Newest = new Map()

/** Follows the newest cells of a view. */
export function useLive(view: View | null): Live {
  const [cells, setCells] = useState({ of: view?.name, newest: NOTHING, whole: NOTHING })
  const [lost, setLost] = useState(false)
  useEffect(() => {
    if (view === null) return
    let shows = 0
    const all = new Map<string, Cell>()
    const whole = new Map<string, Cell>()
    const show = () => {
      shows = 0
      setCells({ of: view.name, newest: new Map(all), whole: new Map(whole) })
    }
    const leave = followLive({ view: view.name, key: view.key }, ({ cells = [], lost }) => {
      if (lost !== undefined) setLost(lost)
      for (const cell of cells) {
        const id = keyId(keyOf(view, cell))
        const known = all.get(id)
        if (known !== undefined && known.time_stamp > cell.time_stamp) continue
        if (known !== undefined && known.time_stamp < cell.time_stamp) whole.set(id, known)
        all.set(id, cell)
      }
      if (cells.length > 0 && shows === 0) shows = window.setTimeout(show, SHOW_MS)
    })
    return () => {
      leave()
      window.clearTimeout(shows)
    }
  }, [view?.name])
  // Of the view before nothing is shown.
  return cells.of === view?.name ? { ...cells, lost } : { newest: NOTHING, whole: NOTHING, lost }
}
