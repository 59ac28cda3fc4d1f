import { expect, test } from 'vitest'
import { refusal } from '../../cli/commands/ask.ts'
import { exitCodeOf, sentence } from '../../cli/failure.ts'
import { TidemarkError } from '../../schemas/errors.ts'

test('what is asked wrongly is wrong usage, and says where the help is', () => {
  const wrong = new TidemarkError('E_PARAMETER', '--from must be a time')
  expect([sentence(wrong), exitCodeOf(wrong)]).toEqual(['--from must be a time (E_PARAMETER): see --help', 2])
  const absent = new TidemarkError('E_NOT_FOUND', 'there is no table x', { hint: 'name another' })
  expect([sentence(absent), exitCodeOf(absent)]).toEqual([
    'there is no table x (E_NOT_FOUND): name another',
    1,
  ])
})

test('what a running process refuses is said as if it had been refused here', () => {
  const url = 'http://127.0.0.1:8080/v1/erasures'
  const problem = {
    code: 'E_PARAMETER',
    detail: 'cpu is no key',
    title: 'a parameter is wrong',
    hint: 'see /openapi.json',
  }
  expect(sentence(refusal(problem, url, 400))).toBe('cpu is no key (E_PARAMETER): see --help')
  expect(refusal({ title: 'Bad Gateway' }, url, 502)).toMatchObject({
    code: 'E_ENGINE',
    message: `${url} refused: Bad Gateway`,
  })
  expect(refusal({ code: 'toString', detail: 'x' }, url, 500)).toMatchObject({ code: 'E_ENGINE' })
})
