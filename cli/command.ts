import { SETTINGS, type SettingName } from '../schemas/config.ts'
import type { Settings } from './settings/settings.ts'

/** A command of the command line, as data: help, parsing and the tests of the documents all read it. */
export interface Command {
  readonly name: string
  /** How it is called, where that is not `tidemark NAME`. */
  readonly call?: string
  readonly summary: string
  /** What follows the options, for the usage line: `[diff A B]`. Absent: nothing may follow. */
  readonly operands?: string
  readonly flags: readonly Flag[]
  /** The settings it heeds, which are flags too. */
  readonly settings: readonly SettingName[]
  /** Whether it is about data that must be there: a directory that is not is `--data` gone wrong, and no empty answer. */
  readonly needsData?: true
  /** A call that works as it stands. */
  readonly example: string
  /** Resolves with the exit code. Throws `TidemarkError`; `E_USAGE` exits with 2, all others with 1. */
  run(args: Args, io: Io): Promise<number>
}

export interface Flag {
  readonly name: string
  /** What the value is called in the help; absent: a switch without a value. */
  readonly value?: string
  /** Whether it may be given without its value, and then is `true`. */
  readonly bare?: true
  readonly about: string
}

export interface Args {
  /** Values of flags by name; a switch that is given is `'true'`. */
  readonly flags: Readonly<Record<string, string | undefined>>
  readonly operands: readonly string[]
  readonly settings: Settings
}

/** What a command has of the outside. */
export interface Io {
  /** Throws `E_DISK` where the working folder was removed. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Null when there is no such file. */
  readText(path: string): Promise<string | null>
  out(text: string): void
  /** The same, and resolves once it was taken: with whether anybody reads on. */
  take(text: string): Promise<boolean>
  err(text: string): void
  /** Whether a person looks at standard error. */
  readonly isTerminal: boolean
  /** How wide the terminal of standard output is; null where it is none. */
  readonly columns: number | null
  /** Resolves at SIGINT, SIGTERM or SIGHUP. */
  readonly stopped: Promise<void>
}

/** How a command is called. */
export function callOf({ call, name }: Command): string {
  return call ?? `tidemark ${name}`
}

export const ALL_SETTINGS: readonly SettingName[] = SETTINGS.map((setting) => setting.name)

/** A log line: one line, with its time. */
export function logLineTo(io: Pick<Io, 'err'>, nowMs: () => number): (line: string) => void {
  return (line) => io.err(`${new Date(nowMs()).toISOString()} ${line.replaceAll('\n', ' ')}\n`)
}

/** Those by which a lake is found and opened. */
export const LAKE_SETTINGS: readonly SettingName[] = ALL_SETTINGS.filter((name) => name.startsWith('lake.'))
