import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PLANTED_IN_CLUSTER } from './planted/cluster.ts'
import { PLANTED } from './planted/planted.ts'
import type { PlantedBug } from './planting/bug.ts'
import { plantable, plantBug, ROOT } from './planting/plant-bug.ts'

/**
 * Plants a bug into this process: `node --import ./test/simulator/plant.ts` with TIDEMARK_PLANT naming it. The sources stay
 * as they are; the one that the bug is in is changed while it is loaded.
 */
const name = process.env.TIDEMARK_PLANT ?? ''
const all: { readonly [name: string]: PlantedBug } = { ...PLANTED, ...PLANTED_IN_CLUSTER }
const bug = all[name]
if (bug === undefined) throw new Error(`TIDEMARK_PLANT must be one of ${Object.keys(all).join(', ')}`)
const { path, text } = plantBug(bug, plantable())
const planted = pathToFileURL(join(ROOT, path)).href

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    return url === planted ? { ...loaded, source: text } : loaded
  },
})
