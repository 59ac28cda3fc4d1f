import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { ask } from '../../../cli/host/question.ts'

const NEVER = new Promise<void>(() => {})

/** Types keys as soon as the question is there. */
async function answered(keys: string | null, stopped: Promise<void> = NEVER) {
  const [input, output] = [new PassThrough(), new PassThrough()]
  let shown = ''
  output.on('data', (bytes) => {
    if (shown === '') keys === null ? input.end() : input.write(keys)
    shown += bytes
  })
  const answer = await ask('Import it so?', stopped, { input, output })
  expect(shown).toContain('Import it so? [y/N] ')
  return answer
}

test.each([
  ['y\r', 'yes'],
  [' YES \n', 'yes'],
  ['n\r', 'no'],
  ['\r', 'no'],
  ['yep\r', 'no'],
  ['y\x7f\r', 'no'],
  ['\x04', 'no'],
  [null, 'no'],
  ['\x03', 'stop'],
  ['y\x03', 'stop'],
])('keys %j answer %s', async (keys, answer) => {
  expect(await answered(keys)).toBe(answer)
})

test('a signal stops the question', async () => {
  expect(await answered('', Promise.resolve())).toBe('stop')
})
