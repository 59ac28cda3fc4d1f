import { userInfo } from 'node:os'

/** What the user is called who runs this process; `uid 1001` where the system knows no name, as in a container. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
