import type { ObjectStore } from '../../lake/store/port.ts'
import type { SimDisk } from '../sim/disk.ts'

/** The lake in the folder `dir` of a simulated disk, for who only looks: no call of it can fail, wait or change anything. */
export function lakeReader(disk: SimDisk, dir: string): ObjectStore {
  const readOnly = () => Promise.reject(new Error('this store is only read'))
  const keys = () =>
    disk
      .paths()
      .filter((path) => path.startsWith(`${dir}/`))
      .map((path) => path.slice(dir.length + 1))
      .filter((key) => !key.includes('.tmp-'))
  return {
    get: async (key) => (disk.has(`${dir}/${key}`) ? disk.bytesOf(`${dir}/${key}`).slice() : null),
    list: async (prefix, after = '') =>
      keys()
        .filter((key) => key.startsWith(prefix) && key > after)
        .sort()
        .map((key) => ({ key, size: disk.bytesOf(`${dir}/${key}`).length, modifiedMs: 0 })),
    put: readOnly,
    putIfAbsent: readOnly,
    delete: readOnly,
  }
}
