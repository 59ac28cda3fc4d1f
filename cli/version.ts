import { readFileSync } from 'node:fs'

/** Read as a file: as a module it would be an experiment, which Node 18 and 20 warn of. */
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

export const VERSION: string = manifest.version
