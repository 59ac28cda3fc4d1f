import { test } from 'vitest'
import { holds, SEQUENCES, SHARDS } from './law.ts'

test(`the law holds in ${SEQUENCES / SHARDS} random sequences, even seeds`, () => holds(1))
