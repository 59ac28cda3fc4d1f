import { expect, test } from 'vitest'
import { compareAlso, comparedWith, compareWithout } from '../../pages/analysis/compared.ts'

test('keys are compared with one after the other, each once, whatever they are called', () => {
  let params = new URLSearchParams('service=checkout&compare=before&by=host')
  for (const name of ['search', 'a,b&c=d', 'search'])
    params = compareAlso(new URLSearchParams(String(params)), name)
  expect(comparedWith(params)).toEqual(['search', 'a,b&c=d'])
  expect(params.get('service')).toBe('checkout')
  expect(params.get('by')).toBe(null)
  expect(comparedWith(compareWithout(params, 'search'))).toEqual(['a,b&c=d'])
  expect(String(compareWithout(compareWithout(params, 'search'), 'a,b&c=d'))).toBe('service=checkout')
})
