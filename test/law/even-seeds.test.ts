import { test } from 'vitest'
import { holds, SEEDS, SHARDS } from './law.ts'

test(`the law holds for ${SEEDS / SHARDS} simulated histories, even seeds`, () => holds(1))
