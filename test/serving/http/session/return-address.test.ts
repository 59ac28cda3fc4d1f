import fc from 'fast-check'
import { expect, test } from 'vitest'
import { returnAddress } from '../../../../serving/http/session/return-address.ts'

test.for([
  ['/', '/'],
  ['/analysis?from=2026-11-22&tz=Europe/Berlin', '/analysis?from=2026-11-22&tz=Europe/Berlin'],
  ['/a/../analysis', '/analysis'],
  ['//evil.example', '/'],
  ['///evil.example', '/'],
  ['/\\evil.example', '/'],
  ['\\\\evil.example', '/'],
  ['/.//evil.example', '/'],
  ['/a/..//evil.example', '/'],
  ['/%2e%2e//evil.example', '/'],
  ['/\t/evil.example', '/'],
  ['/\n/evil.example', '/'],
  ['https://evil.example', '/'],
  ['javascript:alert(1)', '/'],
  ['evil.example', '/'],
  ['@evil.example', '/'],
  ['', '/'],
  [undefined, '/'],
  [['/a', '/b'], '/'],
  [`/${'x'.repeat(5_000)}`, '/'],
] as const)('%j leads to %s', ([wanted, leads]) => {
  expect(returnAddress(wanted)).toBe(leads)
})

test('whatever is asked for, a browser stays here', () => {
  const piece = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '%2f',
    '%5c',
    '%2e',
    '\t',
    '\r\n',
    '@',
    ':',
    'evil.example',
    '?',
    '#',
    'a',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const leads = returnAddress(pieces.join(''))
      expect(new URL(leads, 'https://here.example').origin).toBe('https://here.example')
      expect(leads).toMatch(/^\/[^\r\n\t]*$/)
    }),
    { numRuns: 2_000 },
  )
})
