import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lookAt } from '../../cli/commands/import/files.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import type { ImportFile } from '../../lake/import/columns.ts'
import { type ImportDeps, Importing } from '../../lake/import/importer.ts'
import { ImportStage } from '../../lake/import/stage.ts'
import { natively } from './native.ts'

/** Files and what is read of them lie on the real disk, for DuckDB. */
let root: string | null = null
let count = 0

function folder(): string {
  if (root === null) {
    const made = mkdtempSync(join(tmpdir(), 'tidemark-simulated-'))
    root = made
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
    // What a commit asks of DuckDB while it goes on takes real time too.
    const { dateFile } = ImportStage.prototype
    ImportStage.prototype.dateFile = function (...args) {
      return natively(() => dateFile.apply(this, args))
    }
  }
  const dir = join(root, String(count++))
  mkdirSync(dir)
  return dir
}

/** A file to import with this text; its digest is known before anything is read. */
export function importFile(name: string, text: string): Promise<ImportFile> {
  const path = join(folder(), name)
  writeFileSync(path, text)
  return natively(() => lookAt({ path, name }, null, folder()))
}

/** Reads a file as `tidemark import` does, while simulated time stands still. */
export function readImport(
  file: ImportFile,
  deps: Pick<ImportDeps, 'dataset' | 'messages' | 'clock' | 'signal'>,
): Promise<Importing> {
  const removeTree = (dir: string) => rm(dir, { recursive: true, force: true })
  const options = { map: {}, set: {}, timeFormat: null, zone: 'UTC', header: null }
  const scratch = { disk: nodeDisk(), removeTree }
  return natively(() => Importing.read(file, options, { ...deps, scratch, dir: join(folder(), 'rows') }))
}
