import type { Dataset } from '../../schemas/dataset.ts'
import type { Message } from '../../schemas/message.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { DatasetIntake, type NameLimits, type TooMany } from './dataset-intake.ts'

/** The datasets that may be sent, and the room for their names. */
export class KnownDatasets {
  readonly #byName: ReadonlyMap<string, DatasetIntake>
  readonly #beforeForgetting: () => void
  #forgotAtHour = Number.NaN

  /** `beforeForgetting` is called before names get other numbers. */
  constructor(datasets: readonly Dataset[], limits: NameLimits, beforeForgetting: () => void) {
    this.#byName = new Map(datasets.map((dataset) => [dataset.name, new DatasetIntake(dataset, limits)]))
    this.#beforeForgetting = beforeForgetting
  }

  get(dataset: string): DatasetIntake | undefined {
    return this.#byName.get(dataset)
  }

  [Symbol.iterator](): Iterator<DatasetIntake> {
    return this.#byName.values()
  }

  /** Names are seen at `nowMs` from now on. */
  setTime(nowMs: number): void {
    const hour = Math.floor(nowMs / HOUR_MS)
    for (const intake of this.#byName.values()) intake.hour = hour
  }

  /**
   * Fills the row of `intake` with a message; where there is no room for its names, those not seen for a day are forgotten
   * first. Returns the name that is one too many all the same, null when there is none.
   */
  fill(intake: DatasetIntake, message: Message, nowMs: number): TooMany | null {
    const tooMany = intake.fill(message)
    return tooMany !== null && this.#makeRoom(nowMs) ? intake.fill(message) : tooMany
  }

  /** Forgets names not seen for a day, once an hour at most. Returns whether there were any. */
  #makeRoom(nowMs: number): boolean {
    const hour = Math.floor(nowMs / HOUR_MS)
    if (hour === this.#forgotAtHour) return false
    this.#forgotAtHour = hour
    this.#beforeForgetting()
    return Array.from(this, (intake) => intake.forgetOld(hour)).includes(true)
  }
}
