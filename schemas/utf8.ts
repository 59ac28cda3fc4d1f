/**
 * Orders two strings as their UTF-8 bytes would be ordered, which is the order of their code points and
 * the order every SQL engine uses. JavaScript's own `<` compares UTF-16 units and differs above U+FFFF.
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1
  }
  return a.length - b.length
}

/** Where a string stands among others in the order of their UTF-8 bytes; −1 for nowhere. */
export function placeOf(sorted: readonly string[], text: string): number {
  const place = placeAtMost(sorted, text)
  return sorted[place] === text ? place : -1
}

/** The last of strings in the order of their UTF-8 bytes that is `text` or before it; −1 where there is none. */
export function placeAtMost(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareUtf8(sorted[middle]!, text) <= 0) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Surrogates stand for code points above every other unit's, U+E000 to U+FFFF included. */
function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}
