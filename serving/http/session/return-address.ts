const LENGTH_MAX = 2_048
const HERE = 'http://here.invalid'

/**
 * Where to go after signing in: a path of this server with its query, or else the home page. What a browser would read as another
 * site, `//host` or `/\host`, is no path.
 */
export function returnAddress(wanted: unknown): string {
  if (typeof wanted !== 'string' || wanted.length > LENGTH_MAX) return '/'
  if (!wanted.startsWith('/') || !URL.canParse(wanted, HERE)) return '/'
  const { origin, pathname, search } = new URL(wanted, HERE)
  // Dots in a path may vanish, so that slashes meet.
  return origin === HERE && !/^[/\\]{2}/.test(pathname) ? pathname + search : '/'
}
