import type { FastifyInstance } from 'fastify'
import type { Clock } from '../../schemas/ports/clock.ts'

/** At the end answers that are under way are waited for so long. */
const ANSWERS_MS_MAX = 1_000
/** So often connections are ended whose answer is complete. */
const LOOK_MS = 20

/**
 * Ends a server in order: nothing new is taken, what is being answered is answered, and each connection ends with its answer. What takes
 * longer, as for a client that does not read, is cut off.
 */
export async function endInOrder(app: FastifyInstance, clock: Clock): Promise<void> {
  let waitedMs = 0
  let cancel = () => {}
  const look = () => {
    cancel = clock.after(LOOK_MS, () => {
      waitedMs += LOOK_MS
      if (waitedMs < ANSWERS_MS_MAX) app.server.closeIdleConnections()
      else app.server.closeAllConnections()
      look()
    })
  }
  look()
  try {
    await app.close()
  } finally {
    cancel()
  }
}
