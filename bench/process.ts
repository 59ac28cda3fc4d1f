import { type ChildProcess, fork } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Clock ticks a second that Linux counts CPU time in. */
const TICKS_PER_SECOND = 100

/** What Linux says of a process; NaN where there is no /proc. */
export interface Usage {
  readonly residentMib: number
  /** The most so far. */
  readonly peakMib: number
  /** Of all its threads since it started. */
  readonly cpuSeconds: number
}

export async function usageOf(pid: number): Promise<Usage> {
  const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
  const status = await read('status')
  const kib = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN)
  // Behind the name, which may hold anything, fields 14 and 15 are the ticks in user and system mode.
  const fields = (await read('stat')).split(') ').at(-1)!.split(' ')
  return {
    residentMib: kib('VmRSS') / 1_024,
    peakMib: kib('VmHWM') / 1_024,
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  }
}

/** Resident memory of a process each second, in MiB, until closed. */
export function watchMemory(pid: number) {
  const residentMib: number[] = []
  const timer = setInterval(
    () => void usageOf(pid).then((usage) => residentMib.push(usage.residentMib)),
    1_000,
  )
  return { residentMib, [Symbol.dispose]: () => clearInterval(timer) }
}

/** Bytes of all files below a folder. */
export async function bytesBelow(dir: string): Promise<number> {
  const names = await readdir(dir, { recursive: true })
  // A file may go while it is looked at.
  const sizes = names.map(async (name) => {
    const file = await stat(join(dir, name)).catch(() => null)
    return file?.isFile() ? file.size : 0
  })
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

/** A module of the benchmark as a process of its own; its options are its one argument. */
export const forkWith = (module: URL, options: object | string) =>
  fork(module, [typeof options === 'string' ? options : JSON.stringify(options)])

/** The next message of a child that is a `T`. Throws when the child ends first. */
export function messageOf<T>(child: ChildProcess, isOne = (_: unknown): _ is T => true): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a process of the benchmark ended with ${code}`))
    const take = (message: unknown) => {
      if (!isOne(message)) return
      child.off('message', take)
      child.off('exit', ended)
      resolve(message)
    }
    child.on('message', take)
    child.once('exit', ended)
  })
}
