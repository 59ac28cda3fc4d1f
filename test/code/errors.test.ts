import { expect, test } from 'vitest'
import { ERRORS } from '../../schemas/errors.ts'
import { sources } from './sources.ts'

const entries = Object.entries(ERRORS)
const code = sources().filter(({ path }) => !path.startsWith('test/') && path !== 'schemas/errors.ts')

test('every error says what it means and what to do', () => {
  for (const [name, { meaning, hint }] of entries) {
    expect(meaning, name).toMatch(/^[a-z].*[^.]$/)
    expect(hint, name).toMatch(/^[a-z].*[^.]$/)
  }
})

test('every error of the list is raised somewhere, and none beside it', () => {
  const raised = new Set(
    code.flatMap(({ text }) => [...text.matchAll(/'(E_[A-Z0-9_]+)'/g)].map((match) => match[1]!)),
  )
  const listed = new Set(entries.map(([name]) => name))
  expect([...raised].filter((name) => !listed.has(name))).toEqual([])
  expect([...listed].filter((name) => !raised.has(name))).toEqual([])
})
