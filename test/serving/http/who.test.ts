import type { FastifyRequest } from 'fastify'
import { expect, test } from 'vitest'
import { Identities } from '../../../serving/http/session/identity.ts'
import { USER_HEADER, whoOf } from '../../../serving/http/who.ts'
import { TestAccess } from '../../sim/access.ts'
import { SimClock } from '../../sim/clock.ts'
import { simRandom } from '../../sim/random.ts'

/** Who a request is from, as records name it. */
function who(token: string | null, user?: string): string {
  const access = new TestAccess({ mine: 'admin', other: 'admin' })
  access.own = 'mine'
  const identities = new Identities(access, { clock: new SimClock(0), random: simRandom(1) })
  const headers = {
    ...(token !== null && { authorization: `Bearer ${token}` }),
    ...(user !== undefined && { [USER_HEADER]: user }),
  }
  return whoOf(
    { headers, ip: '127.0.0.1', socket: { remoteAddress: '127.0.0.1' } } as unknown as FastifyRequest,
    identities,
  )
}

test('a command on this machine is named by its user, and nobody else can claim to be one', () => {
  expect(who('mine', 'ann')).toBe('user ann')
  expect(who('mine', encodeURIComponent('Jürgen'))).toBe('user Jürgen')
  expect(who('mine')).toBe('this machine')
  expect(who('mine', '%')).toBe('this machine')
  expect(who('other', 'ann')).toBe('token other')
  expect(who(null, 'ann')).toBe('this machine')
})
