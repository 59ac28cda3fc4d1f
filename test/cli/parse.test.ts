import { expect, test } from 'vitest'
import { erase } from '../../cli/commands/erase.ts'
import { importCommand } from '../../cli/commands/import.ts'
import { parseCommandArgs } from '../../cli/parse.ts'

test('a list that is given in parts is one list', () => {
  const { flags } = parseCommandArgs(importCommand, ['f', '--set', 'service=a,ram=0', '--set', 'disk=1'])
  expect(flags.set).toBe('service=a,ram=0,disk=1')
})

test('a value that can be meant but once is refused when it is given twice', () => {
  const twice = ['--where', 'service=web', '--where', 'host=a']
  expect(() => parseCommandArgs(erase, twice)).toThrow(/takes one --where, not service=web and host=a/)
})

test('of a setting the last one counts', () => {
  expect(parseCommandArgs(erase, ['--data', 'a', '--data', 'b']).flags.data).toBe('b')
})
