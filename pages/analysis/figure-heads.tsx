import type { View } from '../api/types.ts'
import { titleOf } from '../names/visible.ts'

/** The heads over what is told of a gauge: mean, quantile, maximum, when and where it was. */
export function FigureHeads({ view }: { view: View }) {
  return (
    <>
      <th scope="col" class="number">
        Mean
      </th>
      {view.measures.includes('quantiles') && (
        <th scope="col" class="number">
          95 % below
        </th>
      )}
      <th scope="col" class="number">
        Maximum
      </th>
      <th scope="col">When</th>
      {view.source !== null && <th scope="col">{titleOf(view.source)}</th>}
    </>
  )
}
