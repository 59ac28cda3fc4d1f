import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Snapshot, TableSchema } from '../../../lake/delta/port.ts'
import { isError } from '../../../schemas/errors.ts'
import { append, checkpointKey, commitKey, schema, seen, world } from './fixture.ts'

const step = fc.record({
  writer: fc.nat(1),
  /** How many snapshots ago the base was taken. */
  age: fc.nat(3),
  remove: fc.boolean(),
  app: fc.option(fc.constantFrom('a', 'b'), { nil: null }),
  configure: fc.boolean(),
  columns: fc.option(fc.constantFrom('long', 'double'), { nil: null, freq: 4 }),
  waitMs: fc.nat(5_000),
  tend: fc.boolean(),
})

const withColumn = (type: 'long' | 'double'): TableSchema => ({
  ...schema,
  fields: [...schema.fields, { name: 'more', type, nullable: true }],
})

/**
 * Two writers with bases of any age, upkeep in between. A model of the rules says which commits must be discarded; what
 * remains must be the same for both writers, and by whatever path a newcomer reads it.
 */
test('any commits by two writers replay to one state, from commits or from a checkpoint', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
      const w = await world()
      const writers = [w.table, w.open()]
      const history: Snapshot[] = [w.base]
      const setAt = new Map<string, number>()
      for (const { writer, age, remove, app, configure, columns, waitMs, tend } of steps) {
        await w.clock.advance(waitMs)
        const now = history.at(-1)!
        const base = history[Math.max(0, history.length - 1 - age)]!
        const [path] = base.files.keys()
        const metaDataSince = (setAt.get('metaData') ?? 0) > base.version
        const schemaSince = JSON.stringify(now.schema) !== JSON.stringify(base.schema)
        const mustFail =
          (metaDataSince && (configure || columns !== null || schemaSince)) ||
          (app !== null && (setAt.get(app) ?? 0) > base.version) ||
          (remove && path !== undefined && !now.files.has(path))
        const change = {
          ...(remove && path !== undefined ? { remove: [path] } : {}),
          ...(app ? { txns: { [app]: { version: now.version, lastUpdatedMs: waitMs } } } : {}),
          ...(configure ? { configuration: { at: String(now.version) } } : {}),
          ...(columns ? { schema: withColumn(columns) } : {}),
        }
        try {
          history.push(await append(writers[writer]!, change, base))
          expect(mustFail).toBe(false)
          if (app) setAt.set(app, now.version + 1)
          if (configure || columns !== null) setAt.set('metaData', now.version + 1)
        } catch (error) {
          if (!isError(error, 'E_CONFLICT')) throw error
          expect(mustFail).toBe(true)
        }
        if (tend) await writers[writer]!.tend(w.clock.nowMs(), 3_600_000_000)
      }
      const expected = seen(history.at(-1)!)
      for (const table of [...writers, w.open()]) expect(seen(await table.snapshot())).toEqual(expected)
      const last = [...w.store.objects.keys()]
        .filter((key) => key.endsWith('.checkpoint.parquet'))
        .sort()
        .at(-1)
      for (let version = 0; last !== undefined && checkpointKey(version) <= last; version++) {
        w.store.objects.delete(commitKey(version))
      }
      expect(seen(await w.open().snapshot())).toEqual(expected)
    }),
    { numRuns: 60 },
  )
})
