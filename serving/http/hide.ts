/** `value` with `hide` applied to every text in it. */
export function hideIn<T>(value: T, hide: ((text: string) => string) | undefined): T {
  if (hide === undefined) return value
  if (typeof value === 'string') return hide(value) as T
  if (Array.isArray(value)) return value.map((one) => hideIn(one, hide)) as T
  if (typeof value !== 'object' || value === null) return value
  const hidden = Object.entries(value).map(([name, one]) => [name, hideIn(one, hide)])
  return Object.fromEntries(hidden) as T
}
