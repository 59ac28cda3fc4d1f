import type { Definitions } from '../schemas/definitions.ts'
import { describeError, TidemarkError } from '../schemas/errors.ts'
import type { Clock, Random } from '../schemas/ports/clock.ts'
import { definitionJson, parseDefinition } from '../schemas/view.ts'
import { lastBehind } from './store/numbered.ts'
import type { ObjectStore } from './store/port.ts'
import { putUntilClear } from './store/put-until-clear.ts'

/**
 * What every process of a deployment must have the same, as numbered objects of the lake (docs/format/deployment.md): the one
 * with the highest number counts. The first process writes number 0; a change of the definitions writes the next. The log
 * never changes: the partition of an agent follows from their number.
 */
export interface Deployment {
  readonly log: DeployedLog
  readonly definitions: Definitions
}

export interface DeployedLog {
  readonly topic: string
  readonly partitions: number
}

export interface NumberedDeployment extends Deployment {
  readonly number: number
}

export interface DeploymentDeps {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
}

/** Folder of the objects. No table has such a name. */
const FOLDER = '_deployment/'
const NAME = /^_deployment\/(\d{20})\.json$/
const VERSION = 1
/** Other processes that may write at the same time, at most so many times. */
const TRIES_MAX = 10

/** The newest; null where no deployment writes to the lake. Throws `E_DEPLOYMENT` for one that cannot be read. */
export async function readDeployment(store: ObjectStore): Promise<NumberedDeployment | null> {
  const number = await newestNumber(store)
  if (number === null) return null
  const key = keyOf(number)
  const bytes = await store.get(key)
  try {
    return { number, ...parse(JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array()))) }
  } catch (error) {
    throw new TidemarkError('E_DEPLOYMENT', `${key} of the lake cannot be read: ${describeError(error)}`)
  }
}

/** The number of the newest, to see whether it changed; null where there is none. */
export async function newestNumber(store: ObjectStore): Promise<number | null> {
  const numbers = (await store.list(FOLDER)).flatMap(({ key }) => {
    const match = NAME.exec(key)
    return match ? [Number(match[1])] : []
  })
  const listed = Math.max(-1, ...numbers)
  const newest = (await lastBehind(store, keyOf, listed))?.number ?? listed
  return newest < 0 ? null : newest
}

/** What `make` makes of the newest, made the newest itself; that one where `make` gives null. */
export async function changeDeployment(
  make: (newest: NumberedDeployment | null) => Deployment | null,
  { store, clock, random }: DeploymentDeps,
): Promise<NumberedDeployment> {
  for (let tries = 1; ; tries++) {
    const newest = await readDeployment(store)
    const next = make(newest)
    if (next === null) return newest!
    const number = (newest?.number ?? -1) + 1
    if (await putUntilClear(store, clock, keyOf(number), encode(next, random.hex(16))))
      return { number, ...next }
    if (tries === TRIES_MAX)
      throw new TidemarkError('E_CONFLICT', `others changed the deployment ${TRIES_MAX} times meanwhile`)
  }
}

function keyOf(number: number): string {
  return `${FOLDER}${String(number).padStart(20, '0')}.json`
}

function encode({ log, definitions }: Deployment, id: string): Uint8Array {
  const { datasets, views } = definitions
  const plain = views.map((view) => JSON.parse(definitionJson(view)) as object)
  return new TextEncoder().encode(
    `${JSON.stringify({ deployment: VERSION, log, datasets, views: plain, id })}\n`,
  )
}

function parse(json: unknown): Deployment {
  const { deployment, log, datasets, views } = json as { readonly [name: string]: unknown }
  if (deployment !== VERSION) throw new Error(`it is of format ${String(deployment)}, not ${VERSION}`)
  const { topic, partitions } = log as DeployedLog
  if (typeof topic !== 'string' || !Number.isSafeInteger(partitions) || partitions < 1)
    throw new Error('its log is wrong')
  const parsed = (views as object[]).map((view) => parseDefinition(JSON.stringify(view)))
  return {
    log: { topic, partitions },
    definitions: { datasets: datasets as Definitions['datasets'], views: parsed },
  }
}
