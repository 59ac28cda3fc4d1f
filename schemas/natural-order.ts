import { compareUtf8 } from './utf8.ts'

/** Orders texts as people do: numbers in them by their value, so that `service-2` comes before `service-10`. */
export function compareNaturally(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x, y] = [left[i]!, right[i]!]
    const order = (isNumber(x) && isNumber(y) && byValue(x, y)) || compareUtf8(x, y)
    if (order !== 0) return order
  }
  return left.length - right.length
}

/** However long they are; numbers of one value those with fewer leading zeros first. */
function byValue(a: string, b: string): number {
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')]
  return x.length - y.length || compareUtf8(x, y) || a.length - b.length
}

/** Digits and what stands between them, in turn. */
function partsOf(text: string): string[] {
  return text.split(/(\d+)/).filter((part) => part !== '')
}

function isNumber(part: string): boolean {
  return /^\d/.test(part)
}
