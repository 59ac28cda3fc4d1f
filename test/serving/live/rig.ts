import { presentingCells } from '../../../serving/http/present.ts'
import { Followers, type Wanted } from '../../../serving/live/followers.ts'
import { simRandom } from '../../sim/random.ts'
import type { answersRig } from '../rig.ts'

type AnswersRig = Awaited<ReturnType<typeof answersRig>>

/** A cell as it is told. */
export interface Told {
  readonly service: string
  readonly time_stamp: string
  readonly messages: number
}

/** Followers of the answers of a rig, as the API makes them. */
export function followersRig({ answers, clock, lines }: AnswersRig) {
  return new Followers({
    answers,
    clock,
    random: simRandom(1),
    write(cells) {
      const present = presentingCells(cells)
      return (i) => JSON.stringify(present(i))
    },
    about: (view) => `"complete":${answers.whole(view, { fromMs: 0, toMs: clock.nowMs() }).complete}`,
    logLine: (line) => void lines.push(line),
  })
}

/** One who follows: takes events when it is told to, and remembers each cell as it was last told, and the last id. */
export class Client {
  readonly gone = new AbortController()
  readonly cells = new Map<string, Told>()
  readonly events: string[] = []
  dropped = false
  ended = false
  lastId: string | null = null
  readonly #events: AsyncGenerator<string>
  #taking: Promise<void> | null = null

  constructor(followers: Followers, wanted: Partial<Wanted> = {}) {
    const drop = () => {
      this.dropped = true
      this.gone.abort()
      void this.#events.return(undefined)
    }
    this.#events = followers.follow(
      { view: 'service_minute', filter: '', wants: () => true, lastId: null, ...wanted },
      this.gone.signal,
      drop,
    )
  }

  /** Begins to take the next event, if it does not already. */
  take(): void {
    this.#taking ??= this.#events.next().then(({ value, done }) => {
      this.#taking = null
      this.ended = done === true
      if (!done) this.#read(value)
    })
  }

  /** Takes whatever there is, while `advance` lets time pass. */
  async takeAll(advance: () => Promise<void>): Promise<void> {
    for (let before = -1; before < this.events.length && !this.ended; ) {
      before = this.events.length
      this.take()
      await advance()
    }
  }

  #read(event: string): void {
    this.events.push(event)
    this.lastId = /^id: (.+)$/m.exec(event)?.[1] ?? this.lastId
    if (!/^event: cells$/m.test(event)) return
    const { cells } = JSON.parse(/^data: (.+)$/m.exec(event)![1]!) as { cells: Told[] }
    for (const cell of cells) this.cells.set(`${cell.service} ${cell.time_stamp}`, cell)
  }
}
