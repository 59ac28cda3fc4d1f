import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../code/sources.ts'
import { FAULTS, TASKS } from '../simulator/faults.ts'
import { parseOptions } from '../simulator/options.ts'
import { PLANTED_IN_CLUSTER } from '../simulator/planted/cluster.ts'
import { PLANTED } from '../simulator/planted/planted.ts'

const BUGS = { ...PLANTED, ...PLANTED_IN_CLUSTER }
const TEXT = readFileSync(join(ROOT, 'docs/testing.md'), 'utf8')
const rows = [...TEXT.matchAll(/^\| (.+) \| (.+) \|$/gm)].map(([, a, b]) => [a!, b!])

test('every fault and task is listed with what happens', () => {
  for (const [name, about] of Object.entries({ ...FAULTS, ...TASKS }))
    expect(rows).toContainEqual([`\`${name}\``, about])
})

test('every planted bug is listed with the function that it is in', () => {
  for (const [name, bug] of Object.entries(BUGS)) expect(rows).toContainEqual([name, `\`${bug.in}\``])
})

test('nothing else is listed', () => {
  expect(rows).toHaveLength(Object.keys({ ...FAULTS, ...TASKS, ...BUGS }).length + 3)
})

test('every command line of the simulator is one that it takes', () => {
  const lines = [...TEXT.matchAll(/^ +npm run simulate -- (.+)$/gm)].map(([, args]) => args!.split(' '))
  expect(lines.length).toBeGreaterThanOrEqual(5)
  for (const args of lines) expect(parseOptions(args)).not.toBeNull()
})
