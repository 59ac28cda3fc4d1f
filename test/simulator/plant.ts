import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { PLANTED_IN_CLUSTER } from './cluster/planted.ts'
import { PLANTED, type PlantedBug } from './planted.ts'

/**
 * Plants a bug into this process: `node --import ./test/simulator/plant.ts` with TIDEMARK_PLANT naming it. The sources stay
 * as they are; the one that the bug is in is changed while it is loaded.
 */
const name = process.env.TIDEMARK_PLANT ?? ''
const all: { readonly [name: string]: PlantedBug } = { ...PLANTED, ...PLANTED_IN_CLUSTER }
const bug = all[name]
if (bug === undefined) throw new Error(`TIDEMARK_PLANT must be one of ${Object.keys(all).join(', ')}`)
const path = fileURLToPath(new URL(`../../${bug.file}`, import.meta.url))

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.startsWith('file:') || fileURLToPath(url) !== path) return loaded
    const source = Buffer.from(loaded.source as Uint8Array).toString('utf8')
    if (source.split(bug.find).length !== 2)
      throw new Error(`${bug.file} does not hold this once: ${bug.find}`)
    return { ...loaded, source: source.replace(bug.find, () => bug.plant) }
  },
})
