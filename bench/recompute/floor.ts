import { openDuckdb } from '../lake/made.ts'
import { timed } from '../measure.ts'

/**
 * The floor of a recompute, a process of its own: carries out statements that were written by hand, one after the other, as
 * often as it is told to, and says how long they took.
 */
using duckdb = await openDuckdb()
process.on('message', async (statements: readonly string[]) => {
  try {
    const ms = await timed(async () => {
      for (const sql of statements) await duckdb.db.run(sql)
    })
    process.send!({ ms })
  } catch (error) {
    console.error(error)
    process.exit(1)
  }
})
process.send!({ ready: true })
await new Promise((resolve) => process.once('disconnect', resolve))
