import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Pause } from '../../schemas/ports/clock.ts'
import type { StatsAnswer } from '../answers.ts'
import { presentStats, presentWhole } from './present.ts'

/** Keys written at once. */
const KEYS_AT_ONCE = 64

/** Answers with `{"<named>": [stats…], "complete": …}`, written in parts between which other work goes first. */
export function sendStats(
  reply: FastifyReply,
  named: string,
  answer: StatsAnswer,
  pause: Pause = async () => {},
): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(Readable.from(parts(named, answer, pause)))
}

async function* parts(named: string, { stats, ...whole }: StatsAnswer, pause: Pause): AsyncGenerator<string> {
  yield `{${JSON.stringify(named)}:[`
  for (let from = 0; from < stats.length; from += KEYS_AT_ONCE) {
    const some = stats.slice(from, from + KEYS_AT_ONCE).map((one) => JSON.stringify(presentStats(one, false)))
    yield `${from > 0 ? ',' : ''}${some.join(',')}`
    await pause()
  }
  yield `],${JSON.stringify(presentWhole(whole)).slice(1)}`
}
