/** Parameters that show the same thing otherwise: another range, order, gauge or comparison. */
const SAME = ['from', 'to', 'last', 'tz', 'sort', 'gauge', 'q', 'only', 'compare', 'by', 'axis']

/** Whether two addresses show different things: pages, views or keys. */
export function isOtherPlace(a: URL, b: URL): boolean {
  const placeOf = ({ pathname, searchParams }: URL) =>
    JSON.stringify([pathname, [...searchParams].filter(([name]) => !SAME.includes(name)).sort()])
  return placeOf(a) !== placeOf(b)
}
