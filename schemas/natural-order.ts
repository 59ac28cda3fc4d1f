import { compareUtf8 } from './utf8.ts'

/** Orders texts as people do: numbers in them by their value, so that `service-2` comes before `service-10`. */
export function compareNaturally(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x, y] = [left[i]!, right[i]!]
    const byNumber = isNumber(x) && isNumber(y) ? Number(x) - Number(y) : 0
    const order = byNumber || (isNumber(x) && isNumber(y) ? x.length - y.length : compareUtf8(x, y))
    if (order !== 0) return order
  }
  return left.length - right.length
}

/** Digits and what stands between them, in turn. */
function partsOf(text: string): string[] {
  return text.split(/(\d+)/).filter((part) => part !== '')
}

function isNumber(part: string): boolean {
  return /^\d/.test(part)
}
