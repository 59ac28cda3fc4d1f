/** What a simulation contained, so that a suite can assert that it tested something. */
export interface Tally {
  steps: number
  crashes: number
  repeats: number
  late: number
  runs: number
  publishes: number
  answers: number
  incomplete: number
  definitions: number
  merges: number
  vacuums: number
  erasures: number
  backups: number
  imports: number
  corrections: number
  expiries: number
  blocks: number
  virtualMs: number
}

export function emptyTally(): Tally {
  return {
    steps: 0,
    crashes: 0,
    repeats: 0,
    late: 0,
    runs: 0,
    publishes: 0,
    answers: 0,
    incomplete: 0,
    definitions: 0,
    merges: 0,
    vacuums: 0,
    erasures: 0,
    backups: 0,
    imports: 0,
    corrections: 0,
    expiries: 0,
    blocks: 0,
    virtualMs: 0,
  }
}

export function addTally(total: Tally, tally: Tally): void {
  for (const name of Object.keys(total) as (keyof Tally)[]) total[name] += tally[name]
}
