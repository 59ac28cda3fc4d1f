import { join, resolve } from 'node:path'
import { parse } from 'smol-toml'
import type { Keep } from '../../lake/expire/keep.ts'
import { parseStoreUrl } from '../../lake/store/open.ts'
import { flagOf, SETTINGS, type Setting, type SettingName, variableOf } from '../../schemas/config.ts'
import { type Definitions, withTables } from '../../schemas/definitions.ts'
import { describeError, TidemarkError } from '../../schemas/errors.ts'
import { hasUser, hideUser } from '../../schemas/user-in-url.ts'
import { TOKEN_VARIABLE } from '../access/token-variable.ts'
import { parseKeep } from './keep.ts'
import { EXPECTED, isValue } from './kinds.ts'
import { suggestion } from './nearest.ts'
import {
  type Address,
  parseAddress,
  parseBoolean,
  parseDate,
  parseDuration,
  parseHosts,
  parseInteger,
  parseOrigins,
  parsePrice,
  parseSize,
} from './values.ts'

/**
 * The settings: flags over `TIDEMARK_*` variables over tidemark.toml over defaults. Each value is checked where it is
 * read, and an error names the setting and the source that holds the wrong value.
 */

export const CONFIG_FILE = 'tidemark.toml'

/** Where settings come from. */
export interface Sources {
  /** By flag, without the dashes: `speed-tick`. */
  readonly flags: Readonly<Record<string, string | undefined>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** The file and its text; null when there is none. */
  readonly file: { readonly name: string; readonly text: string } | null
  /** What relative paths start from. */
  readonly cwd: string
}

export interface Resolved {
  readonly value: string
  /** For people: `--speed-tick`, `TIDEMARK_SPEED_TICK`, `tidemark.toml` or `default`. */
  readonly source: string
}

/** Tables of tidemark.toml that define datasets and views, as parsed. */
interface DefinitionTables {
  readonly datasets?: unknown
  readonly views?: unknown
}

export class Settings {
  readonly #values: ReadonlyMap<SettingName, Resolved>
  readonly #cwd: string
  readonly #tables: DefinitionTables
  /** Name of the configuration file. */
  readonly fileName: string

  constructor(
    values: ReadonlyMap<SettingName, Resolved>,
    { cwd, file }: Pick<Sources, 'cwd' | 'file'>,
    tables: DefinitionTables,
  ) {
    this.#values = values
    this.#cwd = cwd
    this.#tables = tables
    this.fileName = file?.name ?? CONFIG_FILE
  }

  /** The datasets and views: those built in and those of tidemark.toml. Throws `E_CONFIG`. */
  definitions(builtIn: Definitions): Definitions {
    return withTables(builtIn, this.#tables)
  }

  get(name: SettingName): Resolved {
    return this.#values.get(name)!
  }
  text(name: SettingName): string {
    return this.get(name).value
  }
  durationMs(name: SettingName): number {
    return parseDuration(this.text(name))!
  }
  bytes(name: SettingName): number {
    return parseSize(this.text(name))!
  }
  integer(name: SettingName): number {
    return parseInteger(this.text(name))!
  }
  price(name: SettingName): number {
    return parsePrice(this.text(name))!
  }
  keep(name: SettingName): Keep {
    return parseKeep(this.text(name))!
  }
  boolean(name: SettingName): boolean {
    return parseBoolean(this.text(name))!
  }
  address(name: SettingName): Address {
    return parseAddress(this.text(name))!
  }
  dateMs(name: SettingName): number {
    return parseDate(this.text(name))!
  }
  hosts(name: SettingName): string[] {
    return parseHosts(this.text(name))!
  }
  origins(name: SettingName): string[] {
    return parseOrigins(this.text(name))!
  }
  /** A file, null when none is named. */
  file(name: SettingName): string | null {
    const path = this.text(name)
    return path === '' ? null : resolve(this.#cwd, path)
  }
  dataDir(): string {
    return resolve(this.#cwd, this.text('data'))
  }
  /** The folder, or the URL of a bucket. */
  lakeDir(): string {
    const place = parseStoreUrl(this.text('lake.url') || join(this.dataDir(), 'lake'))
    if ('bucket' in place) return this.text('lake.url')
    // A URL that names nothing was refused when the settings were read.
    return resolve(this.#cwd, (place as { folder: string }).folder)
  }
}

/** Throws `E_CONFIG`. */
export function resolveSettings(sources: Sources): Settings {
  const { datasets, views, ...tree } = sources.file === null ? {} : parseToml(sources.file)
  const file = sources.file === null ? new Map<string, string>() : valuesOf(tree, sources.file.name)
  const values = new Map<SettingName, Resolved>()
  for (const setting of SETTINGS) {
    const resolved = resolveOne(setting, sources, file)
    refuseWrongValue(setting, resolved)
    values.set(setting.name, resolved)
  }
  return new Settings(values, sources, { datasets, views })
}

function resolveOne(setting: Setting, sources: Sources, file: ReadonlyMap<string, string>): Resolved {
  const flag = flagOf(setting.name)
  const variable = variableOf(setting.name)
  const fromFlag = sources.flags[flag.slice(2)]
  if (fromFlag !== undefined) return { value: fromFlag, source: flag }
  const fromEnv = sources.env[variable]
  if (fromEnv !== undefined) return { value: fromEnv, source: variable }
  const fromFile = file.get(setting.name)
  if (fromFile !== undefined) return { value: fromFile, source: sources.file!.name }
  return { value: setting.default, source: 'default' }
}

/** Settings that take one of a few values. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  'lake.s3_path_style': ['auto', 'true', 'false'],
  'speed.engine': ['worker', 'spark'],
  'log.kafka_client': ['kafkajs', 'platformatic'],
  'log.sasl_mechanism': ['plain', 'scram-sha-256', 'scram-sha-512'],
}

/** URLs are shown: what names a user and a password instead. */
const USER_INSTEAD: Readonly<Record<string, string>> = {
  'log.url': 'log.sasl_username and log.sasl_password',
  'lake.url': 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  'lake.s3_endpoint': 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
}

function refuseWrongValue(setting: Setting, { value, source }: Resolved): void {
  const refuse = (expected: string) => {
    const shown = setting.secret ? 'a hidden value' : JSON.stringify(hideUser(value))
    throw new TidemarkError('E_CONFIG', `${setting.name} (${source}) must be ${expected}, not ${shown}`, {
      field: setting.name,
    })
  }
  const instead = USER_INSTEAD[setting.name]
  if (instead !== undefined && hasUser(value)) refuse(`without a user, whom ${instead} name`)
  if (!isValue(setting.kind, value)) refuse(EXPECTED[setting.kind])
  if (setting.name === 'lake.url') {
    const place = parseStoreUrl(value)
    if ('refused' in place) refuse(`a directory, a file:// or an s3:// URL (${place.refused})`)
  }
  const choices = CHOICES[setting.name]
  if (choices !== undefined && !choices.includes(value)) refuse(choices.join(' or '))
  if (setting.name === 'lake.s3_endpoint' && value !== '' && !/^https?:\/\/[^/\s]+/.test(value))
    refuse('a URL like https://s3.example.org')
  if (setting.name === 'data' && value === '') refuse('a directory')
  if (setting.name === 'batch.engine' && !['duckdb', 'spark', 'reference'].includes(value))
    refuse('duckdb, spark or reference')
}

/**
 * Variables that look like settings and are none, in words. They are no error: an orchestrator may set such names for
 * reasons of its own, as Kubernetes does for every service (`TIDEMARK_SERVICE_HOST`).
 */
export function unknownVariables(env: Sources['env']): string[] {
  const known = new Set([...SETTINGS.map((setting) => variableOf(setting.name)), TOKEN_VARIABLE])
  return Object.keys(env)
    .filter((name) => name.startsWith('TIDEMARK_') && !name.startsWith('TIDEMARK_TEST_') && !known.has(name))
    .map((name) => `${name} is set and is no setting${suggestion(name, known)}`)
}

/** The tables of a file. */
function parseToml({ name, text }: { name: string; text: string }): { readonly [key: string]: unknown } {
  try {
    return parse(text)
  } catch (error) {
    throw new TidemarkError('E_CONFIG', `${name} is not valid TOML: ${describeError(error).split('\n')[0]}`)
  }
}

/** The settings of a file by name: table `[a]` with key `b_c` is `a.b_c`. */
function valuesOf(tree: object, fileName: string): Map<string, string> {
  const values = new Map<string, string>()
  const known = new Set<string>(SETTINGS.map((setting) => setting.name))
  const walk = (prefix: string, node: object) => {
    for (const [key, value] of Object.entries(node)) {
      const name = prefix + key
      if (typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date))
        walk(`${name}.`, value)
      else if (!known.has(name))
        throw new TidemarkError(
          'E_CONFIG',
          `${fileName} sets ${name}, which is no setting${suggestion(name, known)}`,
        )
      else values.set(name, text(name, value))
    }
  }
  const text = (name: string, value: unknown): string => {
    if (value instanceof Date) return value.toISOString()
    if (Array.isArray(value)) return value.map((one) => text(name, one)).join(',')
    if (typeof value === 'object')
      throw new TidemarkError('E_CONFIG', `${fileName} makes tables of ${name}, which is one value`, {
        field: name,
      })
    return String(value)
  }
  walk('', tree)
  return values
}
