/** What an address compares with: `compare=before`, or `compare=key:NAME` as often as there are names. */

const KEY = 'key:'

/** The names of the keys that are drawn beside the one of the page. */
export const comparedWith = (params: URLSearchParams): string[] =>
  params.getAll('compare').flatMap((value) => (value.startsWith(KEY) ? [value.slice(KEY.length)] : []))

/** Parameters that compare with one more key; with the period before, or by host, no longer. */
export const compareAlso = (params: URLSearchParams, name: string): URLSearchParams =>
  comparing(params, [...new Set([...comparedWith(params), name])])

export const compareWithout = (params: URLSearchParams, name: string): URLSearchParams =>
  comparing(
    params,
    comparedWith(params).filter((one) => one !== name),
  )

function comparing(params: URLSearchParams, names: readonly string[]): URLSearchParams {
  const all = new URLSearchParams(params)
  all.delete('compare')
  all.delete('by')
  for (const name of names) all.append('compare', KEY + name)
  return all
}
