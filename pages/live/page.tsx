import { useLive } from '../api/live.ts'
import { figures, keyId, keyOf } from '../api/types.ts'
import { KeyName } from '../names/name.tsx'
import { compareNames, titleOf, visible } from '../names/visible.ts'
import type { Shown } from '../shell/context.ts'
import { Lost } from '../shell/notice.tsx'
import { Scroll } from '../shell/scroll.tsx'
import { clock, count, valueText } from '../time/words.ts'

/** The newest cell of every key of the finest view, as it moves. */
export function LivePage({ shown }: { shown: Shown }) {
  const { address, views, zone } = shown
  const own = views.filter(({ dataset }) => dataset === shown.view.dataset)
  const finest = own.reduce((best, one) => (one.key.length > best.key.length ? one : best))
  const view = address.params.has('view') ? shown.view : finest
  const { newest, lost } = useLive(view)
  const text = (row: { readonly [name: string]: unknown }) => keyOf(view, row).map(visible).join(' · ')
  const cells = [...newest.values()].sort((a, b) => compareNames(text(a), text(b)))
  const last = cells.reduce((time, cell) => (cell.time_stamp > time ? cell.time_stamp : time), '')
  return (
    <>
      <h1>Live</h1>
      <p class="lead">The newest minute of everything that sends, as it comes.</p>
      <Lost lost={lost} />
      {cells.length === 0 && !lost && <p class="lead">Nothing has come within five minutes.</p>}
      {cells.length > 0 && (
        <Scroll label="Newest cells">
          <table class="live">
            <thead>
              <tr>
                <th scope="col">{view.key.map(titleOf).join(', ')}</th>
                <th scope="col">Minute</th>
                {view.gauges.map(({ name }) => (
                  <th scope="col" class="number" key={name}>
                    {titleOf(name)}, mean
                  </th>
                ))}
                <th scope="col" class="number">
                  Messages
                </th>
              </tr>
            </thead>
            <tbody>
              {cells.map((cell) => (
                <tr key={keyId(keyOf(view, cell))} class={cell.time_stamp === last ? 'newest' : undefined}>
                  <th scope="row">
                    <KeyName values={keyOf(view, cell)} />
                  </th>
                  <td>{clock(Date.parse(cell.time_stamp), zone)}</td>
                  {view.gauges.map(({ name, unit }) => (
                    <td class="number" key={name}>
                      {valueText(figures(cell, name).mean as number | null, unit)}
                    </td>
                  ))}
                  <td class="number">{count(cell.messages)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  )
}
