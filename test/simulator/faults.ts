/** Kinds of faults. A seed has some of them, each at a rate of its own; `--faults` says which it may have. */
export const FAULTS = {
  crash: 'the process dies at any await and starts again from what the disk kept',
  power: 'the same with everything lost that was not synced, torn at any byte',
  'disk-error': 'calls of the disk fail',
  'disk-full': 'the disk is full',
  'disk-slow': 'calls of the disk take up to seconds',
  flip: 'a bit flips in a block of the journal or in a data file of the lake',
  cut: 'connections break, at both ends or so that the collector does not notice; their data stalls or takes long',
  agents: 'agents are killed and begin anew, or have wrong clocks; two share an id',
  garbage: 'lines that must be refused, lines cut short',
  'store-error': 'the object store refuses calls',
  'store-unclear': 'the store gives no answer to a put that it stored, stores later or never',
  'store-slow': 'calls of the store take up to seconds, lists longer',
  'store-stale': 'lists of the store lag behind by minutes, and show some changes but not others',
  'layer-slow': 'calls of tables by one layer take up to minutes: lake writer, speed or batch',
  clock: 'the clock of the server steps back, or jumps ahead by a day',
  late: 'messages are up to forty days late',
  twins: 'two lake writers, two speed layers and two schedulers work at once',
  definition: 'a start has a changed definition of the view',
  index: 'the serving index is deleted, or that of an earlier moment',
  journal: 'the journal is deleted while the process is down',
  flood:
    'clients that do not read, send too much or the same again, come in crowds and fall silent; the folder of refused lines is full',
  spool: 'the spools of agents have little room, their disks fail or are full',
} as const

/** What people do to the history meanwhile, in processes of their own. A seed has some of it, as of the faults. */
export const TASKS = {
  upkeep: 'tables are compacted and vacuumed by processes that may die at any await',
  erase: 'messages are erased, some with all old versions',
  import: 'files are imported, some again, by processes that may die at any await',
  correct: 'messages are corrected, by number or by name, by processes that may die at any await',
  backup: 'backups are taken by processes that may die at any await; the newest is restored in the end',
  expire: 'messages expire by processes that may die at any await, and what they counted stays',
} as const

const ALL = { ...FAULTS, ...TASKS }

export type FaultName = keyof typeof ALL

/** How often each fault and task may come: 1 as usual, 0 never. */
export type FaultRates = { readonly [fault in FaultName]: number }

export function allFaults(rate: number): FaultRates {
  return Object.fromEntries(Object.keys(ALL).map((name) => [name, rate])) as FaultRates
}

/** `all`, `none`, or a list like `crash,store-slow=3`: the faults and tasks named, at their rates, and no others. */
export function parseFaults(text: string): FaultRates {
  if (text === 'all') return allFaults(1)
  const rates: { -readonly [fault in FaultName]: number } = { ...allFaults(0) }
  if (text === 'none') return rates
  for (const part of text.split(',')) {
    const [name, rate = '1'] = part.split('=') as [FaultName, string?]
    if (!(name in ALL) || !(Number(rate) >= 0))
      throw new Error(`--faults: ${part} is none of ${Object.keys(ALL).join(', ')}, or its rate is no number`)
    rates[name] = Number(rate)
  }
  return rates
}
