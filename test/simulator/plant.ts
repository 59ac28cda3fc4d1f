import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ALL_PLANTED } from './planted/planted.ts'
import { plantable, plantBugs, ROOT, wake } from './planting/plant-bugs.ts'

/**
 * Plants all bugs into this process: `node --import ./test/simulator/plant.ts`. The sources stay as they are; those that bugs
 * are in are changed while they are loaded. A bug sleeps until it is woken, by `wake` or by TIDEMARK_PLANT, which names it.
 */
const name = process.env.TIDEMARK_PLANT ?? null
const names = Object.keys(ALL_PLANTED)
if (name !== null && !names.includes(name))
  throw new Error(`TIDEMARK_PLANT must be one of ${names.join(', ')}`)
const planted = new Map(
  plantBugs(ALL_PLANTED, plantable()).map(({ path, text }) => [pathToFileURL(join(ROOT, path)).href, text]),
)
wake(name)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const source = planted.get(url)
    return source === undefined ? loaded : { ...loaded, source }
  },
})
