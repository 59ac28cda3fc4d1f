/** `user:password@` in front of a URL's host. */
const USER = /([a-z][a-z0-9+.-]*:\/\/)[^/\s]*@/gi

/** Whether a URL names a user, who has a password that would be shown wherever the URL is. */
export function hasUser(url: string): boolean {
  return hideUser(url) !== url
}

/** A text with `…@` in the place of the user of every URL in it. */
export function hideUser(text: string): string {
  return text.replace(USER, '$1…@')
}
