import { backUp, keepNewest, verifyBackup } from '../../lake/backup/backup.ts'
import { listManifests, readManifest, timeOf } from '../../lake/backup/manifest.ts'
import { openTable } from '../../lake/delta/table.ts'
import { readDeployment } from '../../lake/deployment-log.ts'
import { queryTables } from '../../lake/query/catalog.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Clock, Random } from '../../schemas/ports/clock.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import { iso } from '../../serving/http/present.ts'
import { type Args, type Command, type Io, LAKE_SETTINGS, logLineTo } from '../command.ts'
import { findData } from '../compose/find-data.ts'
import { lakeStore } from '../compose/lake-store.ts'
import { tablesIn } from '../compose/open-lake.ts'
import { textTable } from '../help.ts'
import { nodeClock } from '../host/clock.ts'
import { nodeDisk } from '../host/disk.ts'
import { nodeRandom } from '../host/random.ts'
import { builtInDefinitions } from '../settings/definitions.ts'
import { amount } from './amount.ts'
import { aloneAt } from './backup/alone.ts'
import { backupPlace } from './backup/place.ts'
import { bytesText } from './backup/words.ts'

export const backup: Command = {
  name: 'backup',
  summary:
    'A backup of a data directory and its lake, also while `up` runs; what did not change is not copied again',
  operands: 'DIR|s3://BUCKET/PREFIX',
  flags: [
    { name: 'keep', value: 'N', about: 'Remove all but the newest N backups afterwards' },
    { name: 'verify', about: 'Make none: read the newest one and check every file of it' },
    { name: 'list', about: 'Make none: list those there are' },
  ],
  settings: ['data', ...LAKE_SETTINGS],
  example: 'tidemark backup /mnt/backup --keep 30',
  run,
}

async function run(args: Args, io: Io): Promise<number> {
  const { flags, settings } = args
  const keep = flags.keep === undefined ? null : Number(flags.keep)
  if (keep !== null && !(Number.isSafeInteger(keep) && keep >= 1))
    throw new TidemarkError('E_USAGE', `--keep must be a whole number from 1, not ${flags.keep}`)
  const host = { disk: nodeDisk(), clock: nodeClock(), random: nodeRandom() }
  const { store, settle, where } = backupPlace(args, io, host)
  if (flags.list !== undefined || flags.verify !== undefined) {
    const keys = await listManifests(store)
    if (flags.verify !== undefined && keys.length > 0) {
      const manifest = await readManifest(store, keys.at(-1)!)
      await verifyBackup(store, manifest)
      io.out(`the backup of ${manifest.time} is whole: ${manifest.files.length} files\n`)
      return 0
    }
    if (keys.length === 0) throw new TidemarkError('E_BACKUP', `there is no backup in ${where}`)
    io.out(textTable([['backup'], ...keys.map((key) => [timeOf(key)])]))
    return 0
  }
  await findData(settings)
  const stopping = new AbortController()
  void io.stopped.then(() => stopping.abort(new TidemarkError('E_CANCELLED', 'the backup was stopped')))
  const logLine = logLineTo(io, () => host.clock.nowMs())
  const lost = (error: Error) => stopping.abort(error)
  const lease = await aloneAt(store, { ...host, signal: stopping.signal, lost, logLine })
  try {
    await settle()
    await make(args, io, { store: lease.guard(store), keep, host, signal: stopping.signal })
  } finally {
    await lease.close()
  }
  return 0
}

interface Making {
  readonly store: ObjectStore
  readonly keep: number | null
  readonly host: { readonly disk: Disk; readonly clock: Clock; readonly random: Random }
  readonly signal: AbortSignal
}

/** Makes one, and removes those before the newest `keep`. */
async function make({ settings }: Args, io: Io, { store, keep, host, signal }: Making): Promise<void> {
  const lake = lakeStore(settings, host).store
  const deployed = await readDeployment(lake)
  const definitions = deployed?.definitions ?? settings.definitions(await builtInDefinitions())
  const source = {
    disk: host.disk,
    dataDir: settings.dataDir(),
    lake,
    tables: queryTables(tablesIn(lake, definitions, host)).map(({ name }) => name),
    openTable: (name: string) => openTable(name, { store: lake, ...host }),
  }
  const tell = (files: number) => {
    if (io.isTerminal) io.err(`\r  ${files} files `)
  }
  const time = iso(host.clock.nowMs())
  const { manifest, writtenBytes } = await backUp(source, store, { time, signal, tell })
  if (io.isTerminal) io.err('\r\x1b[K')
  const { files } = manifest
  if (files.length === 0)
    throw new TidemarkError('E_BACKUP', `there is nothing in ${settings.dataDir()} to back up`)
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  io.out(
    `backup of ${time}: ${amount(files.length, 'file')}, ${bytesText(bytes)}, of which ${bytesText(writtenBytes)} were new\n`,
  )
  if (keep !== null) {
    const removed = await keepNewest(store, keep, manifest)
    if (removed > 0) io.out(`${removed} older ${removed === 1 ? 'backup' : 'backups'} removed\n`)
  }
}
