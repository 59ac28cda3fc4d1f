import { host } from '../../../schemas/datasets/host.ts'
import { type Message, toColumns } from '../../../schemas/message.ts'
import { DAY_MS } from '../../../schemas/time.ts'
import { importFile, readImport } from '../../sim/import.ts'
import { natively } from '../../sim/native.ts'
import type { Dice } from '../dice.ts'
import { SERVICES } from '../fleet.ts'
import type { Simulation } from '../simulation.ts'

const SOURCE = 'imported'

/** As `tidemark import` does it: a new file, or one that was imported before, perhaps in vain. */
export function importRows(sim: Simulation, dice: Dice): string {
  const { files } = sim
  const again = files.length > 0 && dice.float() < 0.5
  if (!again) files.push(newFile(sim, dice))
  const number = again ? dice.below(files.length) : files.length - 1
  const { messages, text } = files[number]!
  const what = `import of file ${number}, ${messages.length} rows${again ? ', again' : ''}`
  return sim.beginCommand(what, dice, async ({ clock, tables }) => {
    const file = await importFile(`${number}.csv`, text)
    const app = `import/${file.sha256}`
    sim.world.oracle.amendments!.noteImport({ dataset: host.name, app, messages: toColumns(host, messages) })
    const [tablesOfHost] = tables.datasets
    const deps = {
      dataset: host,
      messages: tablesOfHost!.messages,
      clock,
      signal: new AbortController().signal,
    }
    if ((await deps.messages.snapshot()) === null) return
    const importing = await readImport(file, deps)
    const { accepted } = importing.preview.staged
    if (accepted !== messages.length) throw new Error(`${what}: ${accepted} rows are accepted`)
    if (await importing.commit(() => {})) sim.tally.imports += 1
    await natively(() => importing.close())
    if (sim.world.up) sim.beginRun(false, 'first')
  })
}

/** Rows of two dates, and some that must be refused. */
function newFile(sim: Simulation, dice: Dice): { messages: readonly Message[]; text: string } {
  const nowMs = sim.world.clock.nowMs()
  const messages = Array.from({ length: 1 + dice.below(6) }, () => ({
    names: [dice.pick(SERVICES), SOURCE],
    timeMs: nowMs - dice.below(2 * DAY_MS),
    gauges: [dice.below(4), dice.below(4) / 8, dice.pick([0, 0.1, 99])],
    agent: null,
    seq: null,
  }))
  const lines = messages.map(({ names, timeMs, gauges }) =>
    [...names, new Date(timeMs).toISOString(), ...gauges].join(),
  )
  const refused = dice.float() < 0.5 ? [`${SERVICES[0]},${SOURCE},never,1,2,3`] : []
  return { messages, text: `service,host,time_stamp,cpu,ram,disk\n${[...lines, ...refused].join('\n')}\n` }
}
