import { useMemo } from 'preact/hooks'
import type { ApiError } from '../api/client.ts'
import { ask, pathOf } from '../api/client.ts'
import { keyId, keyOf, keyParams, type Page, type Summary } from '../api/types.ts'
import { useAnswer } from '../api/use-answer.ts'
import { KeyName, Name } from '../names/name.tsx'
import { compareNames, titleOf, visible } from '../names/visible.ts'
import { go, withParams } from '../shell/address.ts'
import type { Shown } from '../shell/context.ts'
import { Incomplete, Lost, Notice, Problem } from '../shell/notice.tsx'
import { count, rangeText } from '../time/words.ts'
import { Basis } from './basis.tsx'
import { compareAlso, comparedWith, compareWithout } from './compared.ts'
import { Elsewhere } from './elsewhere.tsx'
import { GaugeSection } from './gauge-section.tsx'
import { KeyFigures } from './key-figures.tsx'
import { askFiner, askSeries, askStats, finerView, LINES_MAX, periodBefore } from './questions.ts'

/** Keys that can be chosen to compare with: one page of the API; an address may name any. */
const OTHERS_MAX = 2_000

/** One key over a range: its figures, a chart of each gauge, and what all that rests on. */
export function KeyAnalysis({ shown, of }: { shown: Shown; of: readonly string[] }) {
  const { address, view, views, zone, range } = shown
  const { fromMs, toMs } = range
  const about = `${view.name} ${keyId(of)} ${fromMs} ${toMs}`
  const finer = finerView(views, view)
  const compare = address.params.get('compare')
  const apart = address.params.get('by') === finer?.key.at(-1)
  const stats = useAnswer(`stats ${about}`, (signal) => askStats(view, of, range, true, signal))
  const series = useAnswer(`series ${about}`, (signal) => askSeries(view, of, range, signal))
  const before = useAnswer(compare === 'before' ? `before ${about}` : null, (signal) =>
    askSeries(view, of, periodBefore(range), signal),
  )
  const beforeStats = useAnswer(compare === 'before' ? `before stats ${about}` : null, (signal) =>
    askStats(view, of, periodBefore(range), false, signal),
  )
  const at = (params: URLSearchParams) => withParams({ ...address, params }, {})
  const chosen = comparedWith(address.params)
  const others = useAnswer(chosen.length > 0 ? `others ${about} ${keyId(chosen)}` : null, (signal) =>
    Promise.all(
      chosen.map(async (name) => ({
        name,
        series: await askSeries(view, [...of.slice(0, -1), name], range, signal),
      })),
    ),
  )
  const each = useAnswer(finer !== null && apart ? `each ${about}` : null, (signal) =>
    askFiner(finer!, view, of, range, signal),
  )
  const keys = useAnswer(`keys ${view.name}`, (signal) =>
    ask<Page & { keys: readonly Summary[] }>(`/v1/views/${view.name}/keys`, { limit: OTHERS_MAX }, signal),
  )
  const names = useMemo(
    () =>
      (keys.data?.keys ?? [])
        .map((row) => keyOf(view, row))
        .filter((key) => key.at(-1) !== of.at(-1))
        .map((key) => key.at(-1)!)
        .sort(compareNames),
    [keys.data],
  )
  const free = names.filter((name) => !chosen.includes(name))
  const error = (stats.error ?? series.error) as ApiError | null
  const cells = `/v1/views/${view.name}/cells`
  const file = { ...keyParams(view, of), from: fromMs, to: toMs }
  const what = titleOf(view.key.at(-1)!).toLowerCase()
  const all = {
    ...Object.fromEntries(view.key.map((name) => [name, null])),
    compare: null,
    by: null,
  }
  const head = (
    <>
      <p class="crumb">
        <a href={withParams(address, all)}>← All {what}s</a>
      </p>
      <h1 class="key">
        <KeyName values={of} />
      </h1>
    </>
  )
  if (error?.status === 404)
    return (
      <>
        {head}
        <Notice>
          No message of this {what} ever came.{' '}
          <a href={withParams(address, { ...all, q: of.at(-1)! })}>Search for its name among all {what}s</a>
        </Notice>
      </>
    )
  const isEmpty = stats.data?.messages === 0
  // A sentence says it, and no charts that draw nothing; what it is compared with may be there.
  const isNothing = isEmpty && compare === null
  return (
    <>
      <Lost lost={error?.status === 0} />
      {head}
      <p
        class="lead"
        data-loaded={[stats, series].every(({ data, loading, stale }) => data !== null && !loading && !stale)}
      >
        {rangeText(range, zone)}, {zone}.{' '}
        {stats.data !== null && (
          <span class={stats.stale ? 'stale' : undefined}>
            <strong data-messages={of.join('/')}>{count(stats.data.messages)}</strong> messages
          </span>
        )}
      </p>
      <Problem error={error} />
      <Incomplete whole={stats.data} zone={zone} />
      {isEmpty && <Elsewhere shown={shown} of={keyParams(view, of)} />}
      {!isNothing && (
        <>
          <div class={stats.stale ? 'stale' : undefined} aria-busy={stats.stale}>
            <KeyFigures
              shown={shown}
              of={of}
              stats={stats.data}
              before={compare === 'before' ? beforeStats.data : null}
            />
          </div>
          <div class="tools">
            <label>
              Compare{' '}
              <select
                class="quiet"
                value={chosen.length > 0 ? 'more' : (compare ?? '')}
                onChange={(event) => {
                  const { value } = event.currentTarget
                  go(
                    value.startsWith('key:')
                      ? at(compareAlso(address.params, value.slice(4)))
                      : withParams(address, { compare: value || null, by: null }),
                  )
                }}
              >
                <option value="">with nothing</option>
                <option value="before">with the period before</option>
                {chosen.length > 0 && (
                  <option value="more" disabled>
                    {chosen.length < LINES_MAX - 1 ? 'also with …' : 'with so many'}
                  </option>
                )}
                {(chosen.length < LINES_MAX - 1 ? free : []).map((name) => (
                  <option key={name} value={`key:${name}`}>
                    with {visible(name)}
                  </option>
                ))}
              </select>
            </label>
            {chosen.length > 0 && (
              <span class="chosen">
                {chosen.map((name) => (
                  <a
                    key={name}
                    href={at(compareWithout(address.params, name))}
                    aria-label={`Not with ${visible(name)}`}
                  >
                    <Name name={name} /> ×
                  </a>
                ))}
              </span>
            )}
            {finer !== null && (
              <label class="check">
                <input
                  type="checkbox"
                  checked={apart}
                  onChange={() =>
                    go(withParams(address, { by: apart ? null : finer.key.at(-1)!, compare: null }))
                  }
                />{' '}
                Each {titleOf(finer.key.at(-1)!).toLowerCase()} apart
              </label>
            )}
            <label class="check">
              <input
                type="checkbox"
                checked={address.params.get('axis') === 'fit'}
                onChange={(event) =>
                  go(withParams(address, { axis: event.currentTarget.checked ? 'fit' : null }), {
                    replace: true,
                  })
                }
              />{' '}
              Fit the axes
            </label>
            <span class="downloads">
              Download{' '}
              <a href={pathOf(cells, { ...file, format: 'csv', bom: 1 })} download>
                CSV
              </a>{' '}
              <a href={pathOf(cells, { ...file, format: 'parquet' })} download>
                Parquet
              </a>
            </span>
          </div>
          <div class={series.stale ? 'charts stale' : 'charts'} aria-busy={series.stale}>
            {view.gauges.map((gauge) => (
              <GaugeSection
                key={gauge.name}
                shown={shown}
                of={of}
                gauge={gauge}
                stats={stats.data}
                series={series.data}
                before={compare === 'before' ? before.data : null}
                others={chosen.length > 0 ? others.data : null}
                each={apart && each.data !== null ? { view: finer!, page: each.data } : null}
              />
            ))}
          </div>
        </>
      )}
      {stats.data !== null && <Basis stats={stats.data} view={view} />}
    </>
  )
}
