/** A figure beside what it may be at most, or at least; as the benchmarks print it. */
export function budgetText(
  value: number,
  budget: { readonly atMost: number } | { readonly atLeast: number },
  text: (value: number) => string,
): string {
  const [within, sign, bound] =
    'atMost' in budget
      ? [value <= budget.atMost, '≤', budget.atMost]
      : [value >= budget.atLeast, '≥', budget.atLeast]
  return `${text(value)} (budget ${sign} ${text(bound)}: ${within ? 'within' : 'OVER'})`
}

/** A ratio; small ones with two digits that count. */
export const times = (value: number) => (value < 0.1 ? value.toPrecision(2) : value.toFixed(2))
