import { useEffect, useRef, useState } from 'preact/hooks'
import { AnalysisPage } from '../analysis/page.tsx'
import { ask } from '../api/client.ts'
import type { View } from '../api/types.ts'
import { useAnswer } from '../api/use-answer.ts'
import { HomePage } from '../home/page.tsx'
import { LivePage } from '../live/page.tsx'
import { visible } from '../names/visible.ts'
import { SystemPage } from '../system/page.tsx'
import { rangeOf, WrongRange, zoneOf } from '../time/range.ts'
import { type Address, go, PATHS, useAddress, withParams } from './address.ts'
import type { Shown } from './context.ts'
import { Help, KEYS_GO } from './help.tsx'
import { moveRow, useKeys } from './keyboard.ts'
import { Lost, Notice, Problem } from './notice.tsx'
import { RangePicker } from './range-picker.tsx'
import { pageTitle } from './title.ts'
import { Top } from './top.tsx'

const VIEWS_MS = 60_000

/** The zone of this browser; every address may name another. */
const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'

export function App() {
  const address = useAddress()
  const [help, setHelp] = useState(false)
  const before = useRef('')
  const views = useAnswer('views', (signal) => ask<{ views: View[] }>('/v1/views', {}, signal), {
    everyMs: VIEWS_MS,
  })
  const title = pageTitle(address, views.data?.views ?? null)
  useEffect(() => {
    document.title = title
  }, [title])
  useKeys((key, event) => {
    const first = before.current
    before.current = key
    if (first === 'g' && KEYS_GO[key] !== undefined) go(KEYS_GO[key])
    else if (key === '?') setHelp(true)
    else if (key === '/') {
      event.preventDefault()
      document.querySelector<HTMLInputElement>('input[type=search]')?.focus()
    } else if ((key === 'ArrowDown' || key === 'ArrowUp') && moveRow(key === 'ArrowDown'))
      event.preventDefault()
  }, [])
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <Top address={address} onHelp={() => setHelp(true)} />
      <main id="content" tabIndex={-1}>
        {views.error !== null && views.data === null ? (
          <>
            <Lost lost={(views.error as { status?: number }).status === 0} />
            <Problem error={views.error} />
          </>
        ) : (
          <Place address={address} views={views.data?.views ?? null} />
        )}
      </main>
      <footer>
        Every message counted exactly once. <a href="/docs">API</a> · <a href="/readyz">Readiness</a> ·{' '}
        <button type="button" class="link" onClick={() => setHelp(true)}>
          Keyboard
        </button>
      </footer>
      {help && <Help onClose={() => setHelp(false)} />}
    </>
  )
}

/** The page of an address, or what is wrong with it. */
function Place({ address, views }: { address: Address; views: readonly View[] | null }) {
  const nowMs = useNow(address)
  if (!(PATHS as readonly string[]).includes(address.path)) return <NoSuchPage address={address} />
  if (views === null) return <div class="waiting" role="status" aria-label="Loading" />
  const named = address.params.get('view') ?? views[0]!.name
  const view = views.find(({ name }) => name === named)
  if (view === undefined) return <NoSuchView address={address} named={named} views={views} />
  let shown: Shown
  try {
    const zone = zoneOf(address.params, OWN_ZONE)
    shown = { address, views, view, zone, range: rangeOf(address.params, zone, nowMs), nowMs }
  } catch (error) {
    if (!(error instanceof WrongRange)) throw error
    return (
      <>
        <h1>That range cannot be shown</h1>
        <Notice>{error.message}</Notice>
        <RangePicker address={{ ...address, path: '/analysis' }} zone="UTC" range={null} nowMs={nowMs} />
      </>
    )
  }
  if (address.path === '/analysis') return <AnalysisPage shown={shown} />
  if (address.path === '/live') return <LivePage shown={shown} />
  if (address.path === '/system') return <SystemPage shown={shown} />
  return <HomePage shown={shown} />
}

/** A path that leads nowhere: where others lead. */
function NoSuchPage({ address: { path } }: { address: Address }) {
  return (
    <>
      <h1>There is no such page</h1>
      <Notice>
        Nothing is at “{visible(path.slice(0, 60))}”. <a href="/">Home</a> lists what sends,{' '}
        <a href="/analysis">Analysis</a> shows a range of time, <a href="/live">Live</a> what comes now, and{' '}
        <a href="/system">System</a> whether all is well.
      </Notice>
    </>
  )
}

/** A view that is not there: those that are. */
function NoSuchView(props: { address: Address; named: string; views: readonly View[] }) {
  const { address, named, views } = props
  return (
    <>
      <h1>There is no such view</h1>
      <Notice>
        There is no view “{visible(named.slice(0, 60))}”. These are there:{' '}
        {views.map(({ name }, i) => (
          <>
            {i > 0 && ', '}
            <a href={withParams(address, { view: name })}>{name}</a>
          </>
        ))}
        .
      </Notice>
    </>
  )
}

/** Now, which a range that moves with the clock ends at; it moves on by itself every half minute. */
function useNow(address: Address): number {
  const [now, setNow] = useState(Date.now)
  const moves = !address.params.has('from')
  useEffect(() => {
    setNow(Date.now())
    if (!moves) return
    const timer = window.setInterval(() => setNow(Date.now()), 30_000)
    return () => window.clearInterval(timer)
  }, [moves, address])
  return now
}
