import { test } from 'vitest'
import { holds, SEEDS, SHARDS } from './law.ts'

test(`the law holds for ${SEEDS / SHARDS} simulated histories, odd seeds`, () => holds(0))
