import {
  changeDeployment,
  type DeployedLog,
  type Deployment,
  type DeploymentDeps,
  type NumberedDeployment,
  readDeployment,
} from '../../lake/deployment-log.ts'
import type { ObjectStore } from '../../lake/store/port.ts'
import type { Definitions } from '../../schemas/definitions.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { definitionJson } from '../../schemas/view.ts'

/** What a process of a deployment is configured with. */
export interface Wanted {
  /** `partitions` is null where that is left to the lake. */
  readonly log: { readonly topic: string; readonly partitions: number | null }
  readonly builtIn: Definitions
  /** Those built in and its own. */
  readonly definitions: Definitions
}

/** Partitions of the log where nobody says how many. */
export const PARTITIONS = 4

/**
 * The deployment that the lake holds, which every process follows; the first one makes it of what it is configured with. What
 * a process is configured with itself must be the same there: `E_DEPLOYMENT` names what differs. `isFree` says whether a
 * deployment may begin in the lake, by throwing where not.
 */
export async function joinDeployment(
  wanted: Wanted,
  deps: DeploymentDeps,
  isFree: () => Promise<void>,
): Promise<NumberedDeployment> {
  if ((await readDeployment(deps.store)) === null) await isFree()
  const joined = await changeDeployment((newest) => (newest === null ? firstOf(wanted) : null), deps)
  checkLog(joined.log, wanted.log)
  checkDefinitions(joined, wanted)
  return joined
}

/** Makes the definitions that a process is configured with those of the deployment; that one when they are already. */
export function redefine(wanted: Wanted, deps: DeploymentDeps): Promise<NumberedDeployment> {
  return changeDeployment((newest) => {
    if (newest === null) return firstOf(wanted)
    checkLog(newest.log, wanted.log)
    const isSame = sameDefinitions(newest.definitions, wanted.definitions)
    return isSame ? null : { log: newest.log, definitions: wanted.definitions }
  }, deps)
}

/** Refuses a lake that a deployment writes to, for `up` and what else has a journal of its own. */
export async function refuseDeployed(store: ObjectStore): Promise<void> {
  const found = await readDeployment(store)
  if (found !== null)
    throw new TidemarkError(
      'E_DEPLOYMENT',
      `the lake belongs to the processes that share the log ${found.log.topic}; set log.url, or choose another lake.url`,
    )
}

function firstOf({ log, definitions }: Wanted): Deployment {
  return { log: { topic: log.topic, partitions: log.partitions ?? PARTITIONS }, definitions }
}

function checkLog(deployed: DeployedLog, { topic, partitions }: Wanted['log']): void {
  if (topic !== deployed.topic)
    throw differs(`log.url names the topic ${topic}`, `the lake is filled from ${deployed.topic}`)
  if (partitions !== null && partitions !== deployed.partitions)
    throw differs(`log.partitions is ${partitions}`, `the log of the lake has ${deployed.partitions}`)
}

function checkDefinitions({ definitions: deployed }: Deployment, { builtIn, definitions }: Wanted): void {
  const known = new Set(entriesOf(builtIn).map(({ title }) => title))
  const there = new Map(entriesOf(deployed).map(({ title, json }) => [title, json]))
  for (const { title, json } of entriesOf(definitions)) {
    if (known.has(title) || there.get(title) === json) continue
    throw differs(
      `${title} is configured here`,
      there.has(title) ? 'is another in the lake' : 'is not in the lake',
    )
  }
}

function sameDefinitions(a: Definitions, b: Definitions): boolean {
  const text = (of: Definitions) => entriesOf(of).map(({ json }) => json)
  return text(a).sort().join('\n') === text(b).sort().join('\n')
}

/** Every definition by its kind and name, and as JSON that is the same for the same definition. */
function entriesOf({ datasets, views }: Definitions): { readonly title: string; readonly json: string }[] {
  return [
    ...datasets.map(({ name, keys, source, gauges, attributes }) => {
      const plain = gauges.map(({ name, unit, min, max, optional }) => ({ name, unit, min, max, optional }))
      const json = JSON.stringify({ name, keys, source, gauges: plain, attributes })
      return { title: `dataset ${name}`, json }
    }),
    ...views.map((view) => ({ title: `view ${view.name}`, json: definitionJson(view) })),
  ]
}

function differs(here: string, there: string): TidemarkError {
  return new TidemarkError('E_DEPLOYMENT', `${here} and ${there}`)
}
