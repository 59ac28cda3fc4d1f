import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../code/sources.ts'
import { PLANTED_IN_CLUSTER } from './cluster/planted.ts'
import { PLANTED } from './planted.ts'

test.each([...Object.entries(PLANTED), ...Object.entries(PLANTED_IN_CLUSTER)])(
  '%s: what it changes stands in its file once',
  (_, { file, find, plant }) => {
    const source = readFileSync(join(ROOT, file), 'utf8')
    expect(source.split(find)).toHaveLength(2)
    expect(plant).not.toBe(find)
  },
)
