import fc from 'fast-check'
import { expect, test } from 'vitest'
import { execLine, unitText } from '../../../../cli/commands/agent/unit.ts'

/**
 * The words of an ExecStart line as systemd reads it: systemd.syntax(7) for quotes and escapes, systemd.unit(5) for
 * specifiers, systemd.service(5) for variables, which the first word has none of.
 */
function wordsOf(line: string): string[] {
  const raw = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, inQuotes, plain]) =>
    inQuotes === undefined ? plain! : inQuotes.replace(/\\(["\\])/g, '$1'),
  )
  return raw.map((word, i) => {
    const expanded = word.replace(/%(.)/g, (_, specifier) => (specifier === '%' ? '%' : '?'))
    return i === 0 ? expanded : expanded.replace(/\$(.)?/g, (_, next) => (next === '$' ? '$' : '?'))
  })
}

test('every word comes out as it went in', () => {
  const word = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\x00-\x1f\x7f]/.test(text)),
    fc.stringMatching(/^[%$"'\\;{}a ]+$/),
  )
  fc.assert(
    fc.property(fc.array(word), (args) => {
      expect(wordsOf(execLine('/usr/bin/node', args))).toEqual(['/usr/bin/node', ...args])
    }),
  )
})

test('quotes, dollars, percent signs and lone semicolons are written as systemd wants them', () => {
  const line = execLine('/opt/a $b/node', ['--service=50% "off"', '$HOME', ';', '--spool=/var/lib/x'])
  expect(line).toBe('"/opt/a $b/node" "--service=50%% \\"off\\"" $$HOME ";" --spool=/var/lib/x')
})

test('what no unit file can hold is refused', () => {
  expect(() => execLine('/usr/bin/node', ['a\nExecStartPre=/bin/evil'])).toThrow(
    /cannot stand in a unit file/,
  )
})

test('the unit restarts, logs to the journal, keeps its spool and is walled in', () => {
  const text = unitText({
    name: 'web-agent',
    writtenBy: 'x',
    program: '/usr/bin/node',
    args: [],
    variables: { A: '1', B: 'x y' },
  })
  const wanted = [
    'Restart=always',
    'StandardError=journal',
    'StateDirectory=web-agent',
    'Environment=A=1',
    'Environment="B=x y"',
    'EnvironmentFile=-/etc/web-agent.env',
    'DynamicUser=yes',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectKernelModules=yes',
    'SystemCallFilter=@system-service',
    'WantedBy=multi-user.target',
  ]
  for (const line of wanted) expect(text.split('\n')).toContain(line)
  expect(text).toMatch(/^RestrictAddressFamilies=.*AF_INET AF_INET6/m)
  expect(text).toMatch(/^MemoryMax=\d+M$/m)
})
