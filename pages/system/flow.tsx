import { titleOf } from '../names/visible.ts'
import { factsOf } from './facts.ts'
import { type Agents, LAYERS, type RunState, type Status } from './status.ts'
import type { Judgement, Level } from './verdict.ts'

const LEVELS: { readonly [level in Level]: string } = {
  ok: 'works',
  late: 'behind',
  stuck: 'stuck',
  away: 'elsewhere',
}

/** The layers as the data flows; an arrow leads from each to those that read from it. */
export function Flow(props: { status: Status; agents: Agents | null; judgement: Judgement }) {
  const { status, agents, judgement } = props
  return (
    <ol class="flow">
      {LAYERS.map((name) => {
        const { level, words } = judgement[name]
        const active = name === 'batch' ? status.batch.active : null
        return (
          <li class="card layer" key={name} data-layer={name} data-level={level}>
            <div class="layer-head">
              <h2>{titleOf(name)}</h2>
              <span class={`state ${level}`}>{active ? 'runs' : LEVELS[level]}</span>
            </div>
            {words !== '' && <p class="why">{words}</p>}
            {active && <Active run={active} />}
            <dl class="facts">
              {factsOf(name, status, agents).map(([title, value, path]) => (
                <div key={title}>
                  <dt>{title}</dt>
                  <dd data-figure={path || undefined}>{unbroken(value)}</dd>
                </div>
              ))}
            </dl>
          </li>
        )
      })}
    </ol>
  )
}

/** No line ends between a number and its unit. */
const unbroken = (text: string) => text.replaceAll(/(\d) (?=\p{L})/gu, '$1\u00a0')

/** A run that goes on: its stage, and how many of its dates are done. */
function Active({ run: { stage, progress, full } }: { run: RunState }) {
  const text = `${full ? 'Everything anew' : 'What changed'}: ${stage ?? 'begins'}`
  return (
    <p class="active-run">
      <span id="run-stage">{text}</span>
      {progress !== null && (
        <>
          <progress aria-labelledby="run-stage" value={progress.done} max={Math.max(1, progress.total)} />
          <small>
            {progress.done} of {progress.total} days
          </small>
        </>
      )}
    </p>
  )
}
