/**
 * What a header of preferences says (RFC 9110, 12.4.2 and 12.5): the weight of each thing that it names, in small letters. A weight
 * that is no number is NaN, and so not above 0.
 */
export function weightsOf(header = ''): ReadonlyMap<string, number> {
  return new Map(
    header.split(',').map((part): [string, number] => {
      const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
      const q = parameters.find((one) => one.startsWith('q='))
      return [name, q === undefined ? 1 : Number(q.slice(2))]
    }),
  )
}
