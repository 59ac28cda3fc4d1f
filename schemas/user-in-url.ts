/** What an `@` may stand in without being behind a user: a path, a `file:///` URL, the prefix of a bucket. */
const PATH = /^\s*(?:\.{0,2}\/|file:\/(?:\/\/)?(?!\/)|s3:\/\/[a-z0-9.-]+\/)/i
/** `user:password@`. A password may hold anything, a slash or an `@` too, so that nothing else says where it ends. */
const USER = /:[\s\S]*@/

/** What stands where a URL names its hosts: each with a port of digits, or none. What follows a colon else may be a password. */
const HOSTS =
  /^\s*[a-z][a-z0-9+.-]*:\/\/(?:(?:\[[^\]]*\]|[^/:?#,]*)(?::\d{0,5})?(?:,|(?=[/?#]|\s*$)))*(?:[/?#]|\s*$)/i
const SCHEME = /^\s*([a-z][a-z0-9+.-]*:\/\/)/i

/** Whether a value, be it a URL or what a hurried hand made of one, names a user, who has a password. */
export function hasUser(value: string): boolean {
  return !PATH.test(value) && USER.test(value)
}

/**
 * A value as it may be shown: of one that names a user, or may name one although no host follows, the scheme alone, since nobody
 * can tell where a password ends that was not written as URLs have it.
 */
export function hideUser(value: string): string {
  const scheme = SCHEME.exec(value)?.[1]
  const isShown = !hasUser(value) && (scheme === undefined || HOSTS.test(value))
  return isShown ? value : `${scheme ?? ''}(hidden)`
}
