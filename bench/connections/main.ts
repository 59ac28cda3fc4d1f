import { type FleetOptions, makeFleet, type Phases } from './fleet.ts'

/** The process of a fleet: runs the phases that its parent names, and answers with what came of them. */
const fleet = makeFleet(JSON.parse(process.argv[2]!) as FleetOptions)
process.on('message', async (phase: keyof Phases) => process.send!(await fleet[phase]()))
process.on('disconnect', () => process.exit())
