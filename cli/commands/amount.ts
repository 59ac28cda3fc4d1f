/** `1 row`, `2,000 rows`. */
export function amount(n: number, what: string): string {
  return `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`
}
