import { useState } from 'preact/hooks'
import { ask } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { isHere, type Status } from '../system/status.ts'
import { collectorAt, waysTo } from './ways.ts'

/** What to do next while there is nothing; it turns into data by itself. */
export function FirstMinute() {
  const status = useAnswer('status', (signal) => ask<Status>('/v1/status', {}, signal))
  const collector = status.data?.collector
  const listen = collector && isHere(collector) ? collector.listen : undefined
  const ways = waysTo(collectorAt(listen, location.hostname))
  return (
    <section class="first">
      <h2>No messages yet</h2>
      <p class="lead">Do one of these, and the first message appears here within a second.</p>
      <ol class="ways">
        {ways.map(([title, command]) => (
          <li class="card" key={title}>
            <h3>{title}</h3>
            <Command text={command} />
          </li>
        ))}
      </ol>
    </section>
  )
}

function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    window.setTimeout(() => setCopied(false), 2_000)
  }
  return (
    <div class="command">
      <pre>
        <code>{text}</code>
      </pre>
      <button type="button" class="quiet" onClick={copy} aria-live="polite">
        {copied ? 'Copied' : 'Copy'}
      </button>
    </div>
  )
}
