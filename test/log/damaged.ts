import * as fc from 'fast-check'

/** One thing that happens to bytes; places are parts of their length. */
type Damage =
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'noise'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'copy'; readonly at: number; readonly from: number; readonly length: number }

const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flip' as const), at: part, bit: fc.nat(7) }) },
  fc.record({ kind: fc.constant('cut' as const), at: part }),
  fc.record({ kind: fc.constant('noise' as const), at: part, bytes: fc.uint8Array({ maxLength: 99 }) }),
  fc.record({ kind: fc.constant('copy' as const), at: part, from: part, length: fc.nat(600) }),
)

/** `bytes` after one to four flips of a bit, cuts, stretches of noise, or bytes of another place. */
export function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc
    .array(damage, { minLength: 1, maxLength: 4 })
    .map((all) => all.reduce(apply, new Uint8Array(bytes)))
}

function apply(bytes: Uint8Array, one: Damage): Uint8Array {
  const placeOf = (share: number) => Math.floor(share * bytes.length)
  const at = placeOf(one.at)
  switch (one.kind) {
    case 'cut':
      return bytes.slice(0, at)
    case 'flip':
      if (bytes.length > 0) bytes[at]! ^= 1 << one.bit
      return bytes
    case 'noise':
      bytes.set(one.bytes.subarray(0, bytes.length - at), at)
      return bytes
    case 'copy':
      return bytes.copyWithin(at, placeOf(one.from), placeOf(one.from) + one.length)
  }
}
