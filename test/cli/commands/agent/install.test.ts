import { chmod, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Io } from '../../../../cli/command.ts'
import { closedToOthers } from '../../../../cli/commands/agent/hidden.ts'
import { installUnit } from '../../../../cli/commands/agent/install.ts'
import { nodeDisk } from '../../../../cli/host/disk.ts'
import type { Disk } from '../../../../schemas/ports/disk.ts'
import { SimDisk } from '../../../sim/disk.ts'
import { makeCa } from '../../host/certificates.ts'

const PROGRAM = { call: 'tidemark agent', node: '/usr/bin/env', words: ['/bin/sh', 'agent'] }
const UNIT = '/units/tidemark-agent.service'
const FLAGS = { service: 'checkout', unit: UNIT }

/** Runs an installation and says what it printed. */
async function install(
  flags: Record<string, string>,
  disk: Disk = new SimDisk(1),
  program = PROGRAM,
): Promise<{ out: string; err: string }> {
  const printed = { out: '', err: '' }
  const io: Io = {
    cwd: '/somewhere',
    env: {},
    readText: async () => null,
    out: (text) => {
      printed.out += text
    },
    err: (text) => {
      printed.err += text
    },
    isTerminal: false,
    columns: null,
    take: async () => true,
    stopped: Promise.resolve(),
  }
  await installUnit(flags, program, disk, io)
  return printed
}

async function disk(): Promise<SimDisk> {
  const made = new SimDisk(1)
  await made.makeDir('/units')
  return made
}

const textIn = async (at: Disk, path = UNIT) => Buffer.from((await at.readFile(path))!).toString()

test('the unit is written with the flags in it, and what to do next is said', async () => {
  const at = await disk()
  const flags = {
    ...FLAGS,
    collector: 'c.example:7070',
    host: 'a "b"',
    interval: '5s',
    scope: 'host',
    'spool-max': '1GiB',
  }
  const { out } = await install(flags, at)
  expect(await textIn(at)).toContain(
    '/bin/sh agent --collector=c.example:7070 --service=checkout "--host=a \\"b\\"" --interval=5s --scope=host --spool-max=1GiB --spool=/var/lib/tidemark-agent\n',
  )
  expect(out).toMatch(/systemctl daemon-reload\n +systemctl enable --now tidemark-agent\n/)
  expect(at.paths()).toEqual([UNIT])
})

test('the same again changes nothing; another needs --force', async () => {
  const at = await disk()
  await install(FLAGS, at)
  await install(FLAGS, at)
  const other = { ...FLAGS, service: 'search' }
  await expect(install(other, at)).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringMatching(/exists and is not the same; --force replaces it/),
  })
  expect(await textIn(at)).toContain('--service=checkout')
  await install({ ...other, force: 'true' }, at)
  expect(await textIn(at)).toContain('--service=search')
})

test('a unit of another name has a state folder and secrets of its own', async () => {
  const at = await disk()
  await install({ ...FLAGS, unit: '/units/web.service' }, at)
  const text = await textIn(at, '/units/web.service')
  expect(text).toContain('--spool=/var/lib/web\n')
  expect(text).toContain('EnvironmentFile=-/etc/web.env')
})

test('--print writes nothing', async () => {
  const at = await disk()
  const { out } = await install({ ...FLAGS, print: 'true' }, at)
  expect(out).toMatch(/^\[Service\]$/m)
  expect(at.paths()).toEqual([])
})

test('what the service could not read is refused', async () => {
  const program = { ...PROGRAM, node: '/home/me/.nvm/node' }
  await expect(install(FLAGS, await disk(), program)).rejects.toThrow(
    /may not read \/home\/me\/\.nvm\/node; install/,
  )
  const { err } = await install({ ...FLAGS, print: 'true' }, await disk(), program)
  expect(err).toMatch(/may not read/)
})

test('a CA is checked, and stands in the unit with its whole path', async () => {
  const at = await disk()
  await at.makeDir('/somewhere')
  const file = await at.open('/somewhere/ca.pem', { create: true })
  await file.write(0, Buffer.from('no certificate'))
  await expect(install({ ...FLAGS, ca: 'ca.pem' }, at)).rejects.toThrow(/ca\.pem holds no certificate in PEM/)
  await expect(install({ ...FLAGS, ca: '/etc/gone.pem' }, at)).rejects.toThrow(
    'there is no file /etc/gone.pem',
  )
  await file.write(0, (await makeCa()).cert)
  await file.close()
  await install({ ...FLAGS, ca: 'ca.pem', tls: 'true' }, at)
  expect(await textIn(at)).toContain(' --tls --ca=/somewhere/ca.pem ')
})

test('a CA that the service could not read is refused', async () => {
  for (const ca of ['/home/me/ca.pem', '/root/ca.pem', '/tmp/ca.pem', '/var/tmp/ca.pem'])
    await expect(install({ ...FLAGS, ca }, await disk())).rejects.toMatchObject({
      code: 'E_USAGE',
      message: `--ca: the service may not read ${ca}; put it into /etc, with mode 644`,
    })
})

test('a file that others may not read, or below a folder that they may not enter, is named', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tidemark-hidden-'))
  try {
    const file = join(dir, 'ca.pem')
    await writeFile(file, '')
    await chmod(dir, 0o755)
    await chmod(file, 0o640)
    expect(closedToOthers(file)).toBe(await realpath(file))
    await chmod(file, 0o644)
    await chmod(dir, 0o700)
    expect(closedToOthers(file)).toBe(await realpath(dir))
    expect(closedToOthers('/bin/sh')).toBe(null)
  } finally {
    await rm(dir, { recursive: true })
  }
})

test('wrong flags are refused before anything is written', async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ service: '' }, /--service must be/],
    [{ collector: 'x' }, /--collector must be an address/],
    [{ interval: 'soon' }, /--interval must be a duration/],
    [{ scope: 'all' }, /--scope must be auto, host or container/],
    [{ 'spool-max': '1KiB' }, /--spool-max must be a size like 256MiB, at least 64KiB/],
    [{ spool: '/spool' }, /--spool does not go with install/],
    [{ once: 'true' }, /--once does not go with install/],
    [{ unit: '/units/agent' }, /--unit must name a file like/],
    [{ token: 'secret' }, /--token does not go into a unit/],
  ]
  const at = await disk()
  for (const [flags, message] of cases)
    await expect(install({ ...FLAGS, ...flags }, at)).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringMatching(message),
    })
  expect(at.paths()).toEqual([])
})

test('a folder that is not there is said to be', async () => {
  await expect(install({ ...FLAGS, unit: '/nowhere/x.service' }, nodeDisk())).rejects.toMatchObject({
    code: 'E_DISK',
    message: 'cannot write /nowhere/x.service: its folder does not exist; is this a system with systemd?',
  })
})
