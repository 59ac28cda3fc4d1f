import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Io } from '../../cli/command.ts'
import { COMMANDS, runCli } from '../../cli/main.ts'
import { VERSION } from '../../cli/version.ts'
import { decodeLine } from '../../collector/ndjson/message-line.ts'
import { host } from '../../schemas/datasets/host.ts'

/** Runs one command line and says what it printed. */
const run = (...argv: string[]) => runWith({}, ...argv)

/** The same with another outside. */
async function runWith(other: Partial<Io>, ...argv: string[]) {
  let out = ''
  let err = ''
  const io: Io = {
    cwd: '/nowhere',
    env: {},
    readText: async () => null,
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    isTerminal: false,
    columns: null,
    take: async () => true,
    // Nobody presses Ctrl-C: what must fail fails by itself.
    stopped: new Promise(() => {}),
    ...other,
  }
  return { code: await runCli(argv, io), out, err }
}

test('every command has a help with an example', async () => {
  for (const { name, example } of COMMANDS) {
    const { code, out } = await run(name, '--help')
    expect(code).toBe(0)
    expect(out).toContain(`Usage: tidemark ${name}`)
    expect(out).toContain(example)
    expect((await run('--help')).out).toContain(`  ${name} `)
  }
})

test('what is about data that must be there refuses a directory that is not', async () => {
  const calls = [
    ['erase', '--host', 'web-1', '--yes'],
    ['correct', 'rows.csv'],
    ['lake', 'compact'],
    ['export', '--messages'],
    ['query', 'SELECT 1'],
  ]
  for (const call of calls) {
    const { code, out, err } = await run(...call, '--data', '/nowhere/data')
    expect([call[0], code, out]).toEqual([call[0], 1, ''])
    expect(err).toMatch(/there is no data directory \/nowhere\/data .*: name the one .* by --data\n$/)
  }
})

test('a settings file that cannot be read is said by its name', async () => {
  const io = { readText: () => Promise.reject(new Error('EISDIR: illegal operation on a directory')) }
  const { code, err } = await runWith(io, 'config', '--config', '/tmp')
  expect([code, err]).toEqual([
    2,
    'tidemark: /tmp cannot be read: EISDIR: illegal operation on a directory (E_CONFIG): see tidemark config\n',
  ])
})

test('wrong usage exits with 2 and one sentence that names the fix', async () => {
  const cases: [string[], RegExp][] = [
    [[], /name a command, like `tidemark up`/],
    [['ups'], /there is no command ups; did you mean up\?/],
    [['up', '--datta', 'x'], /no option --datta; did you mean --data\?/],
    [['up', '--data'], /--data needs a value/],
    [['up', 'now'], /takes no "now"/],
    [['up', '--config', 'missing.toml'], /there is no file missing\.toml/],
    [['agent'], /needs --service/],
    [['agent', '--service', 'a', '--collector', 'x'], /--collector must be an address/],
    [['agent', '--service', '', '--host', 'h'], /--service must be 1 to 128 characters/],
    [
      ['agent', '--service', 'a', '--spool', '/s', '--spool-max', '5'],
      /--spool-max must be a size like 256MiB/,
    ],
    [['agent', '--service', 'a', '--spool-max', '1GiB'], /--spool-max goes with --spool DIR/],
    [['agent', '--service', 'a', '--force'], /--force goes with tidemark agent install/],
    [['agent', 'instal'], /takes nothing but install, not "instal"/],
    [['agent', 'install'], /tidemark agent install needs --service NAME/],
    [['agent', '--service', 'a', '--config', 'x'], /has no option --config/],
    [['fleet', '--services', 'many'], /--services must be a whole number above 0/],
    [['batch'], /needs log\.url.*batch --once/],
    [['batch', '--full'], /go with --once/],
    [['collector'], /tidemark collector needs log\.url, where the log is/],
    [['speed', '--lake-url', '/nowhere'], /tidemark speed needs log\.url/],
    [
      ['lake-writer', '--log-url', 'kafka://h:1/t'],
      /tidemark lake-writer needs lake\.url, where the lake is/,
    ],
    [['serve'], /tidemark serve needs lake\.url/],
    [['speed', '--lake-url', '/nowhere', '--log-url', 'h:1'], /log\.url \(--log-url\) must be like kafka:/],
    [['datasets', '--publish'], /needs log\.url/],
    [['token'], /token create --role ROLE/],
    [['token', 'create'], /needs --role agent, viewer or admin/],
    [['token', 'create', '--role', 'king'], /needs --role agent, viewer or admin/],
    [['token', 'revoke'], /token revoke ID/],
    [['up', '--insecure', '--tokens-loopback', '--data', '/nowhere'], /contradict each other/],
    [
      ['up', '--collector-listen', '0.0.0.0:0', '--data', '/nowhere'],
      /collector\.listen is 0\.0\.0\.0:0.*--insecure/,
    ],
    [['up', '--serving-listen', '[::]:0', '--data', '/nowhere'], /no token of role viewer or admin/],
    [['up', '--collector-tls-cert', 'c.pem'], /collector\.tls_cert needs collector\.tls_key/],
    [['config', '--insecure', 'yes'], /insecure \(--insecure\) must be true or false/],
    [['config', '--speed-tick', 'soon'], /speed\.tick .* must be a duration/],
  ]
  for (const [argv, message] of cases) {
    const { code, out, err } = await run(...argv)
    expect([argv, code, out]).toEqual([argv, 2, ''])
    expect(err).toMatch(message)
    expect(err.trim().split('\n')).toHaveLength(1)
  }
})

test('agent --once prints one message that a collector takes', async () => {
  const { code, out, err } = await run(
    'agent',
    '--once',
    '--service',
    'web',
    '--host',
    'h',
    '--interval',
    '10ms',
  )
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^[^\n]+\n$/)
  const context = { arrivalMs: Date.now(), oldestMs: 0, senderAddress: '', agent: null }
  const line = decodeLine(Buffer.from(out.trim()), context, { usual: host, named: () => null })
  expect(line).toMatchObject({ message: { names: ['web', 'h'], seq: null }, ignoredFields: 0 })
})

test('agent install --print shows the unit', async () => {
  const { code, out } = await run('agent', 'install', '--service', 'web', '--print')
  expect(code).toBe(0)
  expect(out).toMatch(/^ExecStart=.* agent --collector=127\.0\.0\.1:7070 --service=web /m)
})

test('config shows every value and where it came from', async () => {
  const { code, out } = await run('config', '--speed-tick', '5s')
  expect(code).toBe(0)
  expect(out).toMatch(/^speed\.tick +5s +--speed-tick$/m)
  expect(out).toMatch(/^data +\.\/data +default$/m)
})

test('a setting that is true or false needs no value to be true', async () => {
  const shown = async (...argv: string[]) => /^insecure +(\w+)/m.exec((await run('config', ...argv)).out)?.[1]
  expect(await shown('--insecure')).toBe('true')
  expect(await shown('--insecure', '--speed-tick', '5s')).toBe('true')
  expect(await shown('--insecure', 'false')).toBe('false')
  expect(await shown('--insecure=false')).toBe('false')
  expect(await shown()).toBe('false')
})

test('status without a running process fails and says what to do', async () => {
  const { code, err } = await run('status', '--data', '/nowhere/data')
  expect(code).toBe(1)
  expect(err).toMatch(/no tidemark up runs on \/nowhere\/data/)
})

test('runs of an empty place are none, and of no place an error', async () => {
  await using empty = await mkdtempDisposable(join(tmpdir(), 'tidemark-empty-'))
  expect(await run('runs', '--data', empty.path)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/No runs yet/),
  })
  expect(await run('runs', '--data', '/nowhere/data')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/there is no data directory \/nowhere\/data .* by --data/),
  })
})

test('the version is that of the package', async () => {
  expect((await run('--version')).out).toBe(`${VERSION}\n`)
})
