import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { duckdbEngine } from '../../batch/engines/duckdb.ts'
import type { Engine, OpenEngine } from '../../batch/engines/engine.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import type { DataFile, Table } from '../../lake/delta/port.ts'
import { natively } from '../sim/native.ts'

/** Holds the copies of every engine, also of those whose process died before it closed them. */
let root: string | null = null

function scratch(): string {
  if (root === null) {
    const made = mkdtempSync(join(tmpdir(), 'tidemark-simulated-'))
    root = made
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  }
  return mkdtempSync(join(root, 'engine-'))
}

/** DuckDB over a simulated store: what it reads is copied to the real disk first. */
export const openDuckdb: OpenEngine = async (tables) => {
  const dir = scratch()
  const copies = new Map<string, string>()

  async function copy(table: Table, file: DataFile): Promise<void> {
    if (copies.has(file.path)) return
    await table.verify(file)
    const path = join(dir, file.path)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, await table.readFile(file))
    copies.set(file.path, path)
  }

  const local = (table: Table) =>
    new Proxy(table, {
      get(target, name) {
        if (name === 'localPath') return async (file: DataFile) => copies.get(file.path)!
        return Reflect.get(target, name, target) as Table[keyof Table]
      },
    })
  const { messages, viewTable } = tables
  const onCopies = { ...tables, messages: local(messages), viewTable: local(viewTable) }
  const engine = await natively(() => duckdbEngine(join(dir, 'files'), nodeDisk())(onCopies))
  return {
    dates: 1,
    async compute(date, upTo, signal) {
      for (const { files } of date.maps) for (const file of files) await copy(messages, file)
      if (date.base !== null) await copy(viewTable, date.base)
      signal.throwIfAborted()
      return natively(() => engine.compute(date, upTo, signal))
    },
    close: () =>
      natively(async () => {
        await engine.close()
        rmSync(dir, { recursive: true, force: true })
      }),
  } satisfies Engine
}
