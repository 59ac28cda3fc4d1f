import { hourName } from '../../lake/tables/hours.ts'
import type { Block } from '../../schemas/block.ts'
import type { CellMap } from '../../schemas/cell.ts'
import { offsetIn, partitionsOf } from '../../schemas/position.ts'
import { DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import type { Answers, Basis, Range } from '../../serving/answers.ts'
import { REFUSED_SERVICE } from './bad-lines.ts'
import type { Dice } from './dice.ts'
import { differences, minuteDifferences } from './oracle.ts'
import type { Simulation } from './simulation.ts'
import type { Site } from './site.ts'

/** Damaged blocks of which every combination is tried. */
const DOUBTFUL_MAX = 4
const WRONG_SHOWN_MAX = 4

/** Every answer equals the fold over the set that it names; and, where it must be, that set is fresh. */
export function checkAnswers(
  sim: Simulation,
  answers: Answers,
  { freshMs, ranges, key }: { freshMs: number | null; ranges: readonly Range[]; key?: string },
): void {
  const { oracle, definitions } = sim.world
  const basis = answers.basis()
  const view = definitions.get(basis.definition)!
  const doubtful = oracle.doubtful(basis.position, basis.gaps)
  let first: string[] | null = null
  const seen = { complete: false }
  for (const also of combinations(doubtful.slice(0, DOUBTFUL_MAX))) {
    const expected = oracle.cells(view, basis.position, basis.gaps, also)
    const wrong = wrongAnswers(sim, answers, expected, { ranges, key, seen })
    if (wrong.length === 0) {
      first = null
      break
    }
    first ??= wrong
  }
  const wrong = [...(first ?? []), ...staleness(sim, basis, seen.complete ? freshMs : null)]
  if (wrong.length === 0) return
  const standing = JSON.stringify({ ...basis, ticks: basis.ticks.length })
  throw new Error(`${wrong.slice(0, WRONG_SHOWN_MAX).join('; ')} at ${standing}`)
}

function* combinations(blocks: readonly Block[]): Generator<Block[]> {
  for (let bits = 0; bits < 2 ** blocks.length; bits++) yield blocks.filter((_, i) => bits & (1 << i))
}

function wrongAnswers(
  sim: Simulation,
  answers: Answers,
  expected: CellMap,
  {
    ranges,
    key: only,
    seen,
  }: { ranges: readonly Range[]; key: string | undefined; seen: { complete: boolean } },
): string[] {
  const wrong: string[] = []
  const excused = (minuteMs: number) => sim.damagedHours.has(hourName(minuteMs))
  const isExcused = (range: Range) => hoursIn(sim.damagedHours, range)
  for (const key of only === undefined ? expected.keys() : [only]) {
    for (const range of ranges) {
      const stats = answers.stats(key, range)
      sim.tally.answers += 1
      if (stats === null) {
        if (![...expected.range(key, 0, Number.POSITIVE_INFINITY)].every(({ minuteMs }) => excused(minuteMs)))
          wrong.push(`${key} is unknown`)
        continue
      }
      if (!stats.complete) sim.tally.incomplete += 1
      else if (range === ranges[0]) seen.complete = true
      const different = differences(expected, range, stats)
      if (stats.complete || !isExcused(range)) wrong.push(...different)
    }
    if (only !== undefined) continue
    const rows = answers.minutes(key, ranges[0]!) ?? []
    wrong.push(...minuteDifferences(expected, key, ranges[0]!, rows, excused))
  }
  if ((answers.stats(REFUSED_SERVICE, ranges[0]!)?.messages ?? 0) > 0) wrong.push('a refused line is counted')
  return wrong
}

function hoursIn(hours: ReadonlySet<string>, { fromMs, toMs }: Range): boolean {
  return [...hours].some((hour) => {
    const startMs = Date.parse(`${hour}:00:00Z`)
    return startMs < toMs && startMs + HOUR_MS > fromMs
  })
}

/** A complete answer must contain what was accepted longer ago than the freshness bound, and name no block that never was. */
function staleness(sim: Simulation, { position, gaps }: Basis, freshMs: number | null): string[] {
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
  const { viewVersion } = sim.world.parts!.answers.basis()
  if (viewVersion === null) return 'nothing is published to ask for'
  const version = dice.below(viewVersion + 1)
  const range = { fromMs: 0, toMs: sim.world.clock.nowMs() + DAY_MS }
  return sim.begin(`ask as of version ${version}`, async ({ answers }) => {
    const keys = answers.services().map(({ key }) => key)
    if (keys.length === 0) return
    const stats = await answers.statsAsOf(dice.pick(keys), range, { version })
    if (stats === null) return
    const { position, definition, gaps } = stats.basis
    const view = sim.world.definitions.get(definition)!
    const fold = sim.world.oracle.cells(view, position, gaps)
    // An older version of the view has the scale of its own definition; all else is the same.
    const wrong = differences(fold, range, stats)
    if (wrong.length > 0 && sim.damagedHours.size === 0 && gaps.length === 0)
      throw new Error(`as of version ${version}: ${wrong.join('; ')}`)
  })
}
