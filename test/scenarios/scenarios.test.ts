import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runScenario } from './scenario.ts'

const here = import.meta.dirname
for (const name of readdirSync(here).filter((file) => file.endsWith('.txt'))) {
  test(`scenario ${name}`, async () => {
    expect(await runScenario(readFileSync(join(here, name), 'utf8'))).toBeGreaterThan(5)
  })
}
