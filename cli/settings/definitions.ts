import { readdirSync } from 'node:fs'
import type { Dataset } from '../../schemas/dataset.ts'
import type { Definitions } from '../../schemas/definitions.ts'
import type { View } from '../../schemas/view.ts'

const SCHEMAS = new URL('../../schemas/', import.meta.url)
/** The view that pages and lists begin with. */
const FIRST_VIEW = 'service_minute'

/** The datasets and views that are built in: what the files of `schemas/datasets/` and `schemas/views/` export. */
export async function builtInDefinitions(): Promise<Definitions> {
  const datasets = (await exportsOf('datasets/')) as Dataset[]
  const views = (await exportsOf('views/')) as View[]
  const first = (view: View) => (view.name === FIRST_VIEW ? 0 : 1)
  return { datasets, views: views.sort((a, b) => first(a) - first(b)) }
}

async function exportsOf(folder: string): Promise<unknown[]> {
  const url = new URL(folder, SCHEMAS)
  const names = readdirSync(url).filter((name) => /\.[jt]s$/.test(name) && !name.endsWith('.d.ts'))
  const modules = await Promise.all(names.sort().map((name) => import(new URL(name, url).href)))
  return modules.flatMap((module) => Object.values(module as object))
}
