import { type NumberedDeployment, newestNumber } from '../../../lake/deployment-log.ts'
import { newestEntry } from '../../../lake/lease-log.ts'
import type { OpenedStore } from '../../../lake/store/opened.ts'
import type { ObjectStore } from '../../../lake/store/port.ts'
import { allViews, type LakeTables } from '../../../lake/tables/deployment.ts'
import { type NamedPosition, readNamedPosition } from '../../../lake/tables/named-position.ts'
import { TidemarkError } from '../../../schemas/errors.ts'
import type { Wake } from '../../../schemas/ports/layers.ts'
import { makeWake } from '../../../schemas/ports/wake.ts'
import type { Closing } from '../closing.ts'
import { joinDeployment, type Wanted } from '../deployment.ts'
import { every } from '../every.ts'
import type { Host } from '../host.ts'
import { tablesIn } from '../open-lake.ts'
import type { LayerHost } from './layer.ts'

/** How often a layer looks at the lake for what others committed, where looking costs nothing, and where it is paid for. */
const LOOK_MS = { free: 5_000, paid: 30_000 }
/** How often it looks whether the definitions changed. */
const DEFINITIONS_MS = 30_000

/** The lake of a deployment, as a process of one layer has it. */
export interface Joined {
  readonly store: ObjectStore
  readonly deployment: NumberedDeployment
  readonly tables: LakeTables
  /** Notified whenever there may be something new in the lake. */
  readonly wake: Wake
  readonly requests: OpenedStore['requests']
  readonly access: OpenedStore['access']
  /** What the lake names of the log. */
  named(): Promise<NamedPosition>
}

/** Joins the deployment that writes to the lake in `store`, or begins it. Throws `E_DEPLOYMENT`. */
export async function joinLake(store: ObjectStore, wanted: Wanted, host: Host): Promise<NumberedDeployment> {
  return joinDeployment(wanted, { store, ...host }, () => refuseEmbedded(store, wanted, host))
}

/** A lake that was filled from a journal names offsets that mean nothing in another log. */
async function refuseEmbedded(store: ObjectStore, { definitions }: Wanted, host: Host): Promise<void> {
  const tables = tablesIn(store, definitions, host)
  const { position } = await namedBy(tables)
  if (Object.keys(position).length === 0 && (await newestEntry(store)) === null) return
  throw new TidemarkError(
    'E_DEPLOYMENT',
    'the lake was filled from a journal by `tidemark up`; processes with log.url need a lake of their own',
  )
}

/** The tables of the deployment, and a wake that looks at them again and again until it is closed. */
export function openJoined(
  { store, requests, access }: OpenedStore,
  deployment: NumberedDeployment,
  host: LayerHost,
  closing: Closing,
  { paid }: { paid: boolean },
): Joined {
  const { clock } = host
  const tables = tablesIn(store, deployment.definitions, host)
  const wake = makeWake()
  closing.add(
    'looking at the lake',
    every(clock, paid ? LOOK_MS.paid : LOOK_MS.free, async () => wake.notify()),
  )
  const look = async () => {
    const number = await newestNumber(store).catch(() => null)
    if (number === null || number === deployment.number) return
    const what = 'the definitions of the deployment changed; a new start takes them'
    host.failed(new TidemarkError('E_DEPLOYMENT', what))
  }
  closing.add('looking at the definitions', every(clock, DEFINITIONS_MS, look))
  return { store, requests, access, deployment, tables, wake, named: () => namedBy(tables) }
}

function namedBy(tables: LakeTables): Promise<NamedPosition> {
  return readNamedPosition({
    messages: tables.datasets.map(({ messages }) => messages),
    views: allViews(tables),
  })
}
