import { hourName } from '../../lake/tables/hours.ts'
import type { Block } from '../../schemas/block.ts'
import type { CellFold } from '../../schemas/cell-fold.ts'
import { noCells, timesOf } from '../../schemas/cells.ts'
import { offsetIn, partitionsOf } from '../../schemas/position.ts'
import { DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import type { AnswerGap, Answers, Basis, Range } from '../../serving/answers.ts'
import { REFUSED_SERVICE } from './bad-lines.ts'
import type { Dice } from './dice.ts'
import { differences, minuteDifferences } from './oracle.ts'
import type { Simulation } from './simulation.ts'
import type { Site } from './site.ts'

/** Damaged blocks of which every combination is tried. */
const DOUBTFUL_MAX = 4
const WRONG_SHOWN_MAX = 4

interface Wanted {
  readonly freshMs: number | null
  readonly ranges: readonly Range[]
  readonly key?: string
}

/** Every answer of every view equals the fold over the set that it names; and, where it must be, that set is fresh. */
export function checkAnswers(sim: Simulation, answers: Answers, wanted: Wanted): void {
  for (const { view } of answers.views()) checkView(sim, answers, view.name, wanted)
}

function checkView(sim: Simulation, answers: Answers, name: string, { freshMs, ranges, key }: Wanted): void {
  const { oracle, definitions } = sim.world
  const basis = answers.basis(name)
  const view = definitions.get(basis.definition)!
  const lacking = sim.damagedFiles > 0 ? damagedTicks(answers, name, ranges[0]!) : []
  const doubtful = oracle.doubtful(basis.position, basis.gaps)
  let first: string[] | null = null
  const seen = { complete: false }
  for (const also of combinations(doubtful.slice(0, DOUBTFUL_MAX))) {
    const expected = oracle.cells(view, basis.position, basis.gaps, { also, lacking, batch: basis })
    const wrong = wrongAnswers(sim, answers, expected, { name, ranges, key, seen })
    if (wrong.length === 0) {
      first = null
      break
    }
    first ??= wrong
  }
  const wrong = [...(first ?? []), ...staleness(sim, basis, seen.complete ? freshMs : null, view.dataset)]
  if (wrong.length === 0) return
  const standing = JSON.stringify({ ...basis, ticks: basis.ticks.length })
  throw new Error(`${name}: ${wrong.slice(0, WRONG_SHOWN_MAX).join('; ')} at ${standing}`)
}

/** Ranges of blocks that an answer says it lacks, because the file of their tick is damaged. */
function damagedTicks(answers: Answers, name: string, range: Range): AnswerGap[] {
  return answers.whole(name, range).gaps.filter(({ reason }) => reason.includes('_ticks/'))
}

function* combinations(blocks: readonly Block[]): Generator<Block[]> {
  for (let bits = 0; bits < 2 ** blocks.length; bits++) yield blocks.filter((_, i) => bits & (1 << i))
}

function wrongAnswers(
  sim: Simulation,
  answers: Answers,
  expected: CellFold,
  {
    name,
    ranges,
    key: only,
    seen,
  }: { name: string; ranges: readonly Range[]; key: string | undefined; seen: { complete: boolean } },
): string[] {
  const wrong: string[] = []
  const excused = (minuteMs: number) => sim.damagedHours.has(hourName(minuteMs))
  const isExcused = (range: Range) => hoursIn(sim.damagedHours, range)
  const known = [...expected.keys()].map(({ key }) => key)
  for (const key of only === undefined ? known : [only]) {
    for (const range of ranges) {
      const stats = answers.stats(name, key, range, true)
      sim.tally.answers += 1
      if (stats === null) {
        if (!timesOf(expected.range(key, 0, Number.POSITIVE_INFINITY)).every(excused))
          wrong.push(`${key} is unknown`)
        continue
      }
      if (!stats.complete) sim.tally.incomplete += 1
      else if (range === ranges[0]) seen.complete = true
      const { files, ticks, open } = stats.parts!
      const sum = [...files, ...ticks, ...open].reduce((so, { messages }) => so + messages, 0)
      if (sum !== stats.messages) wrong.push(`${key}: ${stats.messages} messages, of parts with ${sum}`)
      const different = differences(expected, range, stats)
      if (stats.complete || !isExcused(range)) wrong.push(...different)
    }
    if (only !== undefined) continue
    const rows = answers.cells(name, key, ranges[0]!)?.cells ?? noCells(expected.view)
    wrong.push(...minuteDifferences(expected, key, ranges[0]!, rows, excused))
  }
  // A key whose messages were all erased may be known still; nothing of it is counted.
  if (only === undefined && sim.world.oracle.amendments?.any && sim.damagedHours.size === 0)
    for (const { key } of answers.keys(name).keys)
      if (!known.includes(key))
        wrong.push(...differences(expected, ranges[0]!, answers.stats(name, key, ranges[0]!)!))
  if ((answers.stats(name, REFUSED_SERVICE, ranges[0]!)?.messages ?? 0) > 0)
    wrong.push('a refused line is counted')
  return wrong
}

function hoursIn(hours: ReadonlySet<string>, { fromMs, toMs }: Range): boolean {
  return [...hours].some((hour) => {
    const startMs = Date.parse(`${hour}:00:00Z`)
    return startMs < toMs && startMs + HOUR_MS > fromMs
  })
}

/** A complete answer must contain what was accepted longer ago than the freshness bound, and name no block that never was. */
function staleness(
  sim: Simulation,
  { position, gaps }: Basis,
  freshMs: number | null,
  dataset: string,
): string[] {
  const { oracle, clock } = sim.world
  const wrong = partitionsOf(position)
    .filter((p) => {
      const gone = gaps.some((gap) => gap.partition === p)
      return offsetIn(position, p) > oracle.highest(p) + (gone ? 1 : 0)
    })
    .map((p) => `position ${p}/${offsetIn(position, p)} lies behind the log's end ${oracle.highest(p)}`)
  if (freshMs === null) return wrong
  const boundMs = clock.passedMs - freshMs
  const missing = oracle.blocks.find((block) => {
    const end = offsetIn(position, block.partition)
    if (block.messages.form.dataset !== dataset) return false
    if (oracle.acceptedMs(block) >= boundMs || block.offset <= end) return false
    // Of a journal that is gone the last gap stands for all that may have been behind it.
    const isGone = gaps.some((gap) => gap.partition === block.partition && gap.to === end)
    return !(isGone && oracle.isSuspect(block.partition, block.offset))
  })
  if (missing) wrong.push(`block ${missing.partition}/${missing.offset} is missing from a complete answer`)
  return wrong
}

/** All time, an hour in which late messages fall, and the last minutes. */
export function rangesAt({ clock, config: { startMs } }: Site): Range[] {
  const nowMs = clock.nowMs()
  const minuteMs = nowMs - (nowMs % 60_000)
  return [
    { fromMs: 0, toMs: nowMs + DAY_MS },
    { fromMs: startMs - HOUR_MS, toMs: startMs },
    { fromMs: minuteMs - 120_000, toMs: minuteMs + 60_000 },
  ]
}

/** One published version's answer, compared with the fold over what that version says it holds. */
export function checkAsOf(sim: Simulation, dice: Dice): string {
  const { answers } = sim.world.parts!
  const { view } = dice.pick(answers.views())
  const { viewVersion } = answers.basis(view.name)
  if (viewVersion === null) return 'nothing is published to ask for'
  const version = dice.below(viewVersion + 1)
  const range = { fromMs: 0, toMs: sim.world.clock.nowMs() + DAY_MS }
  return sim.begin(`ask ${view.name} as of version ${version}`, async ({ answers }) => {
    const { keys } = answers.keys(view.name)
    if (keys.length === 0) return
    const stats = await answers.statsAsOf(view.name, dice.pick(keys).key, range, { version })
    if (stats === null) return
    const { basis } = stats
    const { position, definition, gaps } = basis
    const fold = sim.world.oracle.cells(sim.world.definitions.get(definition)!, position, gaps, {
      batch: basis,
    })
    // An older version of the view has the scale of its own definition; all else is the same.
    const wrong = differences(fold, range, stats)
    if (wrong.length > 0 && sim.damagedHours.size === 0 && gaps.length === 0)
      throw new Error(`as of version ${version}: ${wrong.join('; ')}`)
  })
}
