import { expect, test } from 'vitest'
import { isLoopback } from '../../schemas/loopback.ts'
import { hashToken, hideTokens, makeToken, recordOf, type TokenRecord } from '../../schemas/token.ts'
import { simRandom } from '../sim/random.ts'

test('loopback is this machine alone, however it is written', () => {
  const here = [
    '127.0.0.1',
    '127.8.9.10',
    '::1',
    '::ffff:127.0.0.1',
    '::FFFF:127.0.0.1',
    'localhost',
    'LOCALHOST',
  ]
  const beyond = [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '::ffff:10.0.0.1',
    '127.0.0.1.example.org',
    '1127.0.0.1',
    'unknown',
    '',
  ]
  expect(here.map(isLoopback)).toEqual(here.map(() => true))
  expect(beyond.map(isLoopback)).toEqual(beyond.map(() => false))
})

test('a token is found by what it is, and by nothing near it', () => {
  const random = simRandom(1)
  const made = [1, 2, 3].map(() => makeToken(random))
  const records = made.map(({ id, token }): TokenRecord => {
    return { id, role: 'agent', name: '', createdMs: 0, expiresMs: null, sha256: hashToken(token) }
  })
  for (const [i, { id, token }] of made.entries()) {
    expect(token).toMatch(new RegExp(`^tmk_${id}_[0-9a-f]{48}$`))
    expect(recordOf(token, records)).toBe(records[i])
    for (const near of [token.slice(0, -1), `${token} `, token.toUpperCase(), id, records[i]!.sha256, ''])
      expect(recordOf(near, records)).toBeNull()
  }
})

test('tokens in a text lose their secret and keep their id', () => {
  const { id, token } = makeToken(simRandom(1))
  expect(hideTokens(`"${token}" and ${token}, ${token.slice(0, 30)}`)).toBe(
    `"tmk_${id}_..." and tmk_${id}_..., tmk_${id}_...`,
  )
  expect(hideTokens('{"service":"tmk_"}')).toBe('{"service":"tmk_"}')
})
