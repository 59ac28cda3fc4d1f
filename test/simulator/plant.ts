import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isBugName, PLANTED } from './planted.ts'

/**
 * Plants a bug into this process: `node --import ./test/simulator/plant.ts` with TIDEMARK_PLANT naming it. The sources stay
 * as they are; the one that the bug is in is changed while it is loaded.
 */
const name = process.env.TIDEMARK_PLANT ?? ''
if (!isBugName(name)) throw new Error(`TIDEMARK_PLANT must be one of ${Object.keys(PLANTED).join(', ')}`)
const bug = PLANTED[name]
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
