import type { Writers } from '../../cli/compose/writers.ts'
import { openAudit } from '../../lake/audit.ts'
import type { Erasure } from '../../lake/erase/erasure-log.ts'
import { type Erasures, startErasures } from '../../lake/erase/erasures.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import type { LakeTables } from '../../lake/tables/deployment.ts'
import { encodeHere } from '../../lake/writer/seal-files.ts'
import type { Log } from '../../log/port.ts'
import { nameColumns } from '../../schemas/dataset.ts'
import type { Message } from '../../schemas/message.ts'
import { covers, offsetIn } from '../../schemas/position.ts'
import { utcDate } from '../../schemas/time.ts'
import type { Incarnation } from '../sim/incarnation.ts'
import type { Place } from './amendments.ts'
import type { Site } from './site.ts'

/** Starts what erases, as the embedded process does. Refused lines and caches are left out of it. */
export function eraserOf(
  site: Site,
  life: Incarnation,
  {
    writer,
    batch,
    log,
    store,
    tables,
  }: Pick<Writers, 'writer' | 'batch'> & { log: Log; store: ObjectStore; tables: LakeTables },
): Erasures {
  const deps = {
    store: noted(site, store),
    clock: life.clock(site.clock),
    random: site.random,
    logLine: site.say,
  }
  return startErasures(
    { retentionMs: site.config.retentionMs },
    {
      ...deps,
      tables,
      audit: openAudit(deps),
      log,
      sealer: writer,
      runs: batch,
      encoder: encodeHere,
      trim: () => writer.tend(),
      forgetRejects: async () => 0,
      forgetCaches: async () => {},
    },
  )
}

/** `store`, with the oracle told of every erasure that is about to be kept. */
function noted(site: Site, store: ObjectStore): ObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target)
      if (name !== 'put') return typeof value === 'function' ? value.bind(target) : value
      return (key: string, bytes: Uint8Array) => {
        if (key.startsWith('_erasures/')) note(site, JSON.parse(new TextDecoder().decode(bytes)) as Erasure)
        return target.put(key, bytes)
      }
    },
  })
}

function note(site: Site, erasure: Erasure): void {
  const before = site.acceptedBefore.get(erasure.who)
  if (before !== undefined && !covers(erasure.upTo, before))
    site.broken ??= new Error(
      `the erasure of ${erasure.who} ends before what was accepted: ${JSON.stringify(before)}`,
    )
  const { id, dataset } = erasure
  site.oracle.amendments!.note({
    dataset,
    app: `erase/${id}`,
    amend: (message, place, dates) =>
      dates.has(utcDate(message.timeMs)) && isErased(site, erasure, message, place) ? null : message,
  })
}

/** Whether an erasure is about a message. */
export function isErased(
  site: Site,
  { dataset, where, fromMs, toMs, upTo }: Erasure,
  message: Message,
  place: Place,
): boolean {
  const columns = nameColumns(site.defined.datasets.find(({ name }) => name === dataset)!)
  return (
    Object.entries(where).every(([column, value]) => message.names[columns.indexOf(column)] === value) &&
    (fromMs === null || message.timeMs >= fromMs) &&
    (toMs === null || message.timeMs < toMs) &&
    place.offset <= offsetIn(upTo, place.partition)
  )
}
