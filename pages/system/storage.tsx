import { titleOf } from '../names/visible.ts'
import { bytesText } from '../time/words.ts'
import type { Status } from './status.ts'

const USED = ['lake', 'journal', 'index', 'rejects', 'other'] as const

/** What lies on the disk of the data directory, and what is left of it. */
export function Storage({ storage }: { storage: NonNullable<Status['storage']> }) {
  const { disk_bytes: size, free_bytes: free } = storage
  return (
    <section>
      <h2>Disk</h2>
      {size === undefined || free === undefined ? (
        <p class="lead">Files are being counted.</p>
      ) : (
        <div class="card">
          <p>
            {Math.round((100 * (size - free)) / size)} % of {bytesText(size)} are used, by whatever it is.
          </p>
          <meter
            class="disk"
            aria-label="Used of the disk"
            min={0}
            max={size}
            high={0.95 * size}
            optimum={0}
            value={size - free}
          />
          <dl class="sizes">
            {USED.map((part) => (
              <div key={part}>
                <dt>{titleOf(part)}</dt>
                <dd data-figure={`storage/${part}_bytes`}>{bytesText(storage[`${part}_bytes`]!)}</dd>
              </div>
            ))}
            <div>
              <dt>Free</dt>
              <dd>{bytesText(free)}</dd>
            </div>
          </dl>
        </div>
      )}
    </section>
  )
}
