import type { Dataset } from '../../schemas/dataset.ts'
import type { Message } from '../../schemas/message.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { DatasetIntake, type NameLimits, type TooMany } from './dataset-intake.ts'

export interface KnownDatasetsDeps {
  /** Called before names get other numbers. */
  beforeForgetting(): void
  logLine(line: string): void
}

/** The datasets that may be sent, and the room for their names. */
export class KnownDatasets {
  readonly #byName: ReadonlyMap<string, DatasetIntake>
  readonly #deps: KnownDatasetsDeps
  /** Per dataset and column, the hour in which it was logged that there are too many names. */
  readonly #toldInHour = new Map<string, number>()
  #forgotAtHour = Number.NaN

  constructor(datasets: readonly Dataset[], limits: NameLimits, deps: KnownDatasetsDeps) {
    this.#byName = new Map(datasets.map((dataset) => [dataset.name, new DatasetIntake(dataset, limits)]))
    this.#deps = deps
  }

  get(dataset: string): DatasetIntake | undefined {
    return this.#byName.get(dataset)
  }

  [Symbol.iterator](): Iterator<DatasetIntake> {
    return this.#byName.values()
  }

  /** Sets the time at which names are seen from now on. */
  setTime(nowMs: number): void {
    const hour = Math.floor(nowMs / HOUR_MS)
    for (const intake of this.#byName.values()) intake.hour = hour
  }

  /**
   * Fills the row of `intake` with a message; where there is no room for its names, those not seen for a day are forgotten
   * first. Returns the name that is one too many all the same, null when there is none.
   */
  fill(intake: DatasetIntake, message: Message, nowMs: number): TooMany | null {
    let tooMany = intake.fill(message)
    if (tooMany !== null && this.#makeRoom(nowMs)) tooMany = intake.fill(message)
    if (tooMany !== null) this.#tell(tooMany, nowMs)
    return tooMany
  }

  /** Logs that there are too many names, once an hour at most. */
  #tell({ code, dataset, column, name, setting }: TooMany, nowMs: number): void {
    const hour = Math.floor(nowMs / HOUR_MS)
    const where = `${dataset} ${column}`
    if (this.#toldInHour.get(where) === hour) return
    this.#toldInHour.set(where, hour)
    this.#deps.logLine(
      `collector: of dataset ${dataset} as many values of ${column} are known as ${setting} allows; messages with another are refused, ${JSON.stringify(name)} is the first (${code})`,
    )
  }

  /** Forgets names not seen for a day, once an hour at most. Returns whether there were any. */
  #makeRoom(nowMs: number): boolean {
    const hour = Math.floor(nowMs / HOUR_MS)
    if (hour === this.#forgotAtHour) return false
    this.#forgotAtHour = hour
    this.#deps.beforeForgetting()
    return Array.from(this, (intake) => intake.forgetOld(hour)).includes(true)
  }
}
