import type { Act } from '../../lake/audit.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { isName } from '../../schemas/name.ts'
import { TIME_MS_MAX } from '../../schemas/time.ts'
import { hashToken, hideTokens, makeToken, ROLES, type Role, type TokenRecord } from '../../schemas/token.ts'
import { changeTokens, readTokens } from '../access/token-file.ts'
import { type Args, type Command, type Io, LAKE_SETTINGS } from '../command.ts'
import { recordAct } from '../compose/recorded-act.ts'
import { textTable } from '../help.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeRandom } from '../host/random.ts'
import { parseDuration } from '../settings/values.ts'

export const token: Command = {
  name: 'token',
  summary: 'Access tokens: create, list, revoke; a running `up` notices within a second',
  operands: 'create|list|revoke ID',
  flags: [
    {
      name: 'role',
      value: 'ROLE',
      about: 'create: agent (sends), viewer (asks) or admin (both, and starts runs)',
    },
    { name: 'name', value: 'NAME', about: 'create: what it is for (none)' },
    {
      name: 'expires',
      value: 'DURATION',
      about: 'create: how long it counts, like 90d (until it is revoked)',
    },
    { name: 'json', about: 'list: as JSON, one token a line' },
  ],
  settings: ['data', ...LAKE_SETTINGS],
  example: 'tidemark token create --role agent --name web-servers',
  run,
}

async function run({ flags, operands, settings }: Args, io: Io): Promise<number> {
  const [action, id, ...more] = operands
  const dataDir = settings.dataDir()
  const wanted = action === 'revoke' ? id !== undefined && more.length === 0 : operands.length === 1
  const record = (what: string, about: Act['about']) =>
    recordAct(
      { what, about },
      settings,
      { disk: nodeDisk(), clock: nodeClock(), random: nodeRandom() },
      io.err,
    )
  if (action === 'create' && wanted) return await create(dataDir, flags, io, record)
  if (action === 'list' && wanted) return await list(dataDir, flags, io)
  if (action === 'revoke' && wanted) return await revoke(dataDir, id!, io, record)
  throw new TidemarkError(
    'E_USAGE',
    'say `tidemark token create --role ROLE`, `token list` or `token revoke ID`',
  )
}

/** Records an act in the lake. */
type Recording = (what: string, about: Act['about']) => Promise<void>

/** The token alone on standard output, so that a script can take it; what it is, beside it. */
async function create(
  dataDir: string,
  { role, name = '', expires }: Args['flags'],
  io: Io,
  record: Recording,
): Promise<number> {
  if (!ROLES.includes(role as Role))
    throw new TidemarkError('E_USAGE', 'tidemark token create needs --role agent, viewer or admin')
  if (name !== '' && !isName(name))
    throw new TidemarkError('E_USAGE', '--name must be 1 to 128 characters without control characters')
  const lifeMs = expires === undefined ? null : parseDuration(expires)
  const clock = nodeClock()
  const expiresMs = expires === undefined ? null : clock.nowMs() + (lifeMs ?? Number.NaN)
  if (expiresMs !== null && !(expiresMs <= TIME_MS_MAX))
    throw new TidemarkError('E_USAGE', '--expires must be a duration like 12h or 90d')
  const made = makeToken(nodeRandom())
  const kept: TokenRecord = {
    id: made.id,
    role: role as Role,
    name,
    createdMs: clock.nowMs(),
    expiresMs,
    sha256: hashToken(made.token),
  }
  await changeTokens({ disk: nodeDisk(), clock }, dataDir, (tokens) => [...tokens, kept])
  io.err(`Token ${kept.id}, role ${role}. It is shown only now; Tidemark keeps its hash alone.\n`)
  io.out(`${made.token}\n`)
  await record('token create', { token: kept.id, role: kept.role, name })
  return 0
}

async function list(dataDir: string, { json }: Args['flags'], io: Io): Promise<number> {
  const tokens = await readTokens(nodeDisk(), dataDir)
  const rows = tokens.map(({ id, role, name, createdMs, expiresMs }) => {
    const expires = expiresMs === null ? null : new Date(expiresMs).toISOString()
    return { id, role, name, created: new Date(createdMs).toISOString(), expires }
  })
  if (json !== undefined) for (const row of rows) io.out(`${JSON.stringify(row)}\n`)
  else if (rows.length === 0) io.out('No tokens yet. Make one: tidemark token create --role agent\n')
  else
    io.out(
      textTable([
        ['id', 'role', 'created', 'expires', 'name'],
        ...rows.map((row) => [row.id, row.role, row.created, row.expires ?? 'never', row.name]),
      ]),
    )
  return 0
}

async function revoke(dataDir: string, id: string, io: Io, record: Recording): Promise<number> {
  await changeTokens({ disk: nodeDisk(), clock: nodeClock() }, dataDir, (tokens) => {
    const left = tokens.filter((one) => one.id !== id)
    if (left.length === tokens.length)
      throw new TidemarkError(
        'E_NOT_FOUND',
        `there is no token ${hideTokens(id)}; tidemark token list shows them`,
      )
    return left
  })
  io.out(`Token ${id} is revoked.\n`)
  await record('token revoke', { token: id })
  return 0
}
