import { expect, test } from 'vitest'
import { refuseExposed } from '../../../cli/access/exposure.ts'
import { changeTokens, readTokens, TOKENS_MAX, tokenFile } from '../../../cli/access/token-file.ts'
import { openTokens } from '../../../cli/access/tokens.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import { hashToken, makeToken, type Role, type TokenRecord } from '../../../schemas/token.ts'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { simRandom } from '../../sim/random.ts'

const DATA = '/data'
const random = simRandom(3)

function fresh(role: Role = 'agent'): { token: string; record: TokenRecord } {
  const { id, token } = makeToken(random)
  return {
    token,
    record: { id, role, name: 'a name', createdMs: 1_000, expiresMs: null, sha256: hashToken(token) },
  }
}

function rig(seed = 1) {
  const clock = new SimClock(0)
  const disk = new SimDisk(seed, clock)
  const lines: string[] = []
  const logLine = (line: string) => void lines.push(line)
  const add = (record: TokenRecord) => changeTokens({ disk, clock }, DATA, (tokens) => [...tokens, record])
  const open = (rule = { insecure: false, loopback: false }) =>
    openTokens({ dataDir: DATA, rule }, { disk, clock, random, logLine })
  return { clock, disk, lines, add, open }
}

test('what was made is read again, and no secret is in the file', async () => {
  const { disk, add } = rig()
  const made = [fresh('agent'), fresh('admin')]
  for (const { record } of made) await add(record)
  expect(await readTokens(disk, DATA)).toEqual(made.map(({ record }) => record))
  const text = Buffer.from(disk.bytesOf(tokenFile(DATA))).toString()
  for (const { token } of made) expect(text).not.toContain(token.slice(13))
})

test('a crash at any step leaves the old tokens or the new, whole', async () => {
  const steps = ['open', 'write', 'sync', 'rename', 'syncDir'] as const
  for (const step of steps)
    for (let seed = 1; seed <= 20; seed++) {
      const { disk, add } = rig(seed)
      const [old, next] = [fresh().record, fresh().record]
      await add(old)
      disk.fault = (what) => {
        if (what === step) throw new TidemarkError('E_DISK', 'the power went off')
      }
      await expect(add(next)).rejects.toMatchObject({ code: 'E_DISK' })
      disk.fault = null
      disk.crash('power')
      const left = await readTokens(disk, DATA)
      expect([[old], [old, next]]).toContainEqual(left)
      await add(next)
      expect((await readTokens(disk, DATA)).length).toBe(left.length + 1)
    }
})

test('what a change that succeeded says survives a power loss', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { disk, add } = rig(seed)
    const { record } = fresh()
    await add(record)
    disk.crash('power')
    expect(await readTokens(disk, DATA)).toEqual([record])
  }
})

test('two changes at once are both kept', async () => {
  const { disk, clock, add } = rig()
  const both = Promise.all([add(fresh().record), add(fresh().record)])
  await clock.advance(1_000)
  await both
  expect(await readTokens(disk, DATA)).toHaveLength(2)
})

test('a file that is not what it should be is named', async () => {
  const { disk } = rig()
  const token = {
    id: 'x',
    role: 'agent',
    name: '',
    created: '2026-11-22T10:00:00.000Z',
    sha256: 'a'.repeat(64),
  }
  const cases: [string, RegExp][] = [
    ['{', /tokens\.json is not JSON/],
    ['null', /version undefined/],
    ['{"version":3,"tokens":[]}', /version 3; this release knows 1 and 2/],
    ['{"version":1}', /no list/],
    [JSON.stringify({ version: 1, tokens: [token, { ...token, role: 'king' }] }), /wrong at token 2/],
    [JSON.stringify({ version: 1, tokens: [{ ...token, sha256: 'secret' }] }), /wrong at token 1/],
    [JSON.stringify({ version: 1, tokens: Array(TOKENS_MAX + 1).fill(token) }), /at most 1000/],
  ]
  for (const [text, message] of cases) {
    disk.put(tokenFile(DATA), Buffer.from(text))
    await expect(readTokens(disk, DATA)).rejects.toMatchObject({
      code: 'E_TOKEN_FILE',
      message: expect.stringMatching(message),
    })
  }
})

test('a running process sees new and revoked tokens within a second', async () => {
  const { clock, disk, add, open } = rig()
  const tokens = await open()
  let told = 0
  tokens.access.onChange(() => {
    told += 1
  })
  const { token, record } = fresh('viewer')
  expect(tokens.access.holder(token)).toBeNull()
  await add(record)
  await clock.advance(1_000)
  expect([tokens.access.holder(token), told]).toEqual([record, 1])
  await changeTokens({ disk, clock }, DATA, () => [])
  await clock.advance(1_000)
  expect([tokens.access.holder(token), told]).toEqual([null, 2])
  await clock.advance(10_000)
  expect(told).toBe(2)
  await tokens.close()
  expect(clock.pending).toBe(0)
})

test('a file that is damaged while it is in use changes nothing and is said once', async () => {
  const { clock, disk, lines, add, open } = rig()
  const { token, record } = fresh()
  await add(record)
  const tokens = await open()
  disk.put(tokenFile(DATA), Buffer.from('{'))
  await clock.advance(5_000)
  expect([tokens.access.holder(token), lines]).toEqual([
    record,
    [expect.stringMatching(/not JSON.*still count/)],
  ])
  disk.erase(tokenFile(DATA))
  await clock.advance(1_000)
  expect(tokens.access.holder(token)).toBeNull()
  await tokens.close()
})

test('a process has a token of its own, an admin that no list shows', async () => {
  const { open } = rig()
  const tokens = await open()
  expect([tokens.access.holder(tokens.own)?.role, tokens.list()]).toEqual(['admin', []])
  await tokens.close()
})

test('peers beyond this machine need a token; those on it when it is so set; nobody when insecure', async () => {
  const { open } = rig()
  const needed = async (insecure: boolean, loopback: boolean) => {
    const tokens = await open({ insecure, loopback })
    await tokens.close()
    return ['127.0.0.1', '::ffff:127.0.0.1', '10.0.0.1', 'unknown'].map((address) =>
      tokens.access.required(address),
    )
  }
  expect(await needed(false, false)).toEqual([false, false, true, true])
  expect(await needed(false, true)).toEqual([true, true, true, true])
  expect(await needed(true, false)).toEqual([false, false, false, false])
})

test('listening beyond this machine wants a token that somebody could use', () => {
  const listening = (host: string, roles: Role[]) => [
    { setting: 'collector.listen', address: { host, port: 7070 }, roles },
  ]
  const { record } = fresh('viewer')
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'db.example.org']) {
    expect(() => refuseExposed(listening(host, ['agent', 'admin']), [record])).toThrow(
      /collector\.listen is .*no token of role agent or admin/,
    )
    refuseExposed(listening(host, ['viewer', 'admin']), [record])
  }
  refuseExposed(listening('127.0.0.1', ['agent']), [])
})

test('a token ends when it was said to, also while the file cannot be read', async () => {
  for (const damaged of [false, true]) {
    const { clock, disk, add, open } = rig()
    const { token, record } = fresh('viewer')
    await add({ ...record, expiresMs: 10_000 })
    expect(Buffer.from(disk.bytesOf(tokenFile(DATA))).toString()).toContain('"version": 2')
    const tokens = await open()
    let told = 0
    tokens.access.onChange(() => {
      told++
    })
    if (damaged) disk.put(tokenFile(DATA), Buffer.from('{'))
    await clock.advance(9_900)
    expect([tokens.access.holder(token)?.id, told]).toEqual([record.id, 0])
    await clock.advance(1_000)
    expect([tokens.access.holder(token), tokens.list(), told]).toEqual([null, [], 1])
    await tokens.close()
  }
})

test('a token that ended opens nothing after a start either', async () => {
  const { clock, add, open } = rig()
  const { token, record } = fresh('viewer')
  await add({ ...record, expiresMs: 10_000 })
  await clock.advance(10_000)
  const tokens = await open()
  expect([tokens.access.holder(token), tokens.list()]).toEqual([null, []])
  await tokens.close()
})
