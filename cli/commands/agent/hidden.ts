import { realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** The unit sees neither homes nor this /tmp. */
const HIDDEN = /^\/(home|root|run\/user|tmp|var\/tmp)\//
const OTHERS_READ = 0o004
const OTHERS_ENTER = 0o001

/** The path, or what it links to, where the service of the unit cannot see it; null when it can. */
export function hiddenFromUnit(path: string): string | null {
  return [path, realPath(path)].find((one) => HIDDEN.test(one)) ?? null
}

/** What keeps the service's user, who owns nothing, from reading a file: it, or a folder above it. Null when nothing does. */
export function closedToOthers(path: string): string | null {
  const real = realPath(path)
  if (!allows(real, OTHERS_READ)) return real
  for (let folder = dirname(real); folder !== dirname(folder); folder = dirname(folder)) {
    if (!allows(folder, OTHERS_ENTER)) return folder
  }
  return null
}

function allows(path: string, right: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined || (found.mode & right) !== 0
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
