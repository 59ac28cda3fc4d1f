import { rename, rm, rmdir } from 'node:fs/promises'
import { findBackup, mayRestoreInto, restore } from '../../lake/backup/restore.ts'
import { LocalStore } from '../../lake/store/local.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { parseInstant } from '../../serving/range.ts'
import { type Args, type Command, type Io, LAKE_SETTINGS } from '../command.ts'
import { storeAt } from '../compose/lake-store.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeRandom } from '../host/random.ts'
import { amount } from './amount.ts'
import { backupPlace } from './backup/place.ts'

export const restoreCommand: Command = {
  name: 'restore',
  summary: 'A data directory from a backup, the newest or that of a time',
  operands: 'DIR|s3://BUCKET/PREFIX',
  flags: [{ name: 'at', value: 'TIME', about: 'The newest backup at or before then (the newest of all)' }],
  settings: ['data', ...LAKE_SETTINGS],
  example: 'tidemark restore /mnt/backup --data ./restored',
  run,
}

/** Ends the name of a directory that is not whole yet. */
const UNFINISHED = '.restoring'

async function run(args: Args, io: Io): Promise<number> {
  const { flags, settings } = args
  const host = { disk: nodeDisk(), clock: nodeClock(), random: nodeRandom() }
  const { store } = backupPlace(args, io, host)
  const atMs = flags.at === undefined ? null : parseInstant('--at', flags.at, 'UTC')
  const manifest = await findBackup(store, atMs)
  const dataDir = settings.dataDir()
  if ((await host.disk.list(dataDir)).length > 0)
    throw new TidemarkError('E_BACKUP', `${dataDir} is not empty`, {
      hint: 'give another --data, or move it away',
    })
  const unfinished = `${dataDir}${UNFINISHED}`
  const isApart = settings.text('lake.url') !== ''
  const lake = isApart
    ? storeAt(settings.lakeDir(), settings, host).store
    : new LocalStore(host.disk, `${unfinished}/lake`, host.random)
  if (isApart && !(await mayRestoreInto(lake, manifest)))
    throw new TidemarkError('E_BACKUP', `the lake ${settings.lakeDir()} is not empty`, {
      hint: 'give another --lake-url, or move it away',
    })
  await rm(unfinished, { recursive: true, force: true })
  const data = new LocalStore(host.disk, unfinished, host.random)
  await data.settle()
  const stopping = new AbortController()
  void io.stopped.then(() => stopping.abort(new TidemarkError('E_CANCELLED', 'the restoring was stopped')))
  const tell = (files: number) => {
    if (io.isTerminal) io.err(`\r  ${files} of ${manifest.files.length} files `)
  }
  await restore(store, manifest, { data, lake }, { signal: stopping.signal, tell })
  if (io.isTerminal) io.err('\r\x1b[K')
  await takePlace(unfinished, dataDir)
  io.out(
    `${dataDir} holds the backup of ${manifest.time}: ${amount(manifest.files.length, 'file')}; start it with tidemark up --data ${dataDir}\n`,
  )
  return 0
}

/** What is restored replaces the empty directory as a whole. */
async function takePlace(unfinished: string, dataDir: string): Promise<void> {
  try {
    await rmdir(dataDir)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT')
      throw new TidemarkError('E_BACKUP', `${dataDir} cannot be replaced (${code})`, {
        hint: 'where a disk is mounted there, give a folder on that disk as --data',
      })
  }
  await rename(unfinished, dataDir)
}
