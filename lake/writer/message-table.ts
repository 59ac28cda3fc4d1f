import { type Dataset, formOf } from '../../schemas/dataset.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { misfit } from '../../schemas/message.ts'
import type { Position } from '../../schemas/position.ts'
import type { Change, Snapshot, Table } from '../delta/port.ts'
import type { DatasetTables } from '../tables/deployment.ts'
import { coveredPosition, messagesSchema } from '../tables/messages.ts'
import { BEGUN } from './begin-like.ts'

/** Where the table's configuration keeps its dataset, as JSON. */
const DATASET = 'tidemark.dataset'

/** The messages of one dataset, as far as they are known to be in the lake. */
export class MessageTable {
  readonly dataset: Dataset
  readonly table: Table
  #covered: Position = {}
  #version = -1

  constructor({ dataset, messages }: Pick<DatasetTables, 'dataset' | 'messages'>) {
    this.dataset = dataset
    this.table = messages
  }

  /** The positions that the newest version seen covers. */
  get covered(): Position {
    return this.#covered
  }

  get version(): number {
    return this.#version
  }

  /**
   * Makes the table, or gives it the columns that the dataset gained. `first`: no table of the deployment covers anything of the
   * log, so this one begins where the log does. Throws `E_COLUMNS` when its messages are of another
   * dataset than is defined now.
   */
  async open(nowMs: number, first: boolean): Promise<void> {
    const { dataset } = this
    const configuration = {
      'tidemark.created': String(nowMs),
      [DATASET]: JSON.stringify(dataset),
      ...(first && { [BEGUN]: 'with the log' }),
    }
    const found = await this.table.create(messagesSchema(dataset), configuration)
    const stored = found.configuration[DATASET]
    if (stored === JSON.stringify(dataset)) return
    if (stored !== undefined) this.#checkFits(JSON.parse(stored) as Dataset)
    await this.table.commit(found, {
      operation: 'DATASET',
      dataChange: false,
      schema: messagesSchema(dataset),
      configuration: { ...found.configuration, [DATASET]: JSON.stringify(dataset) },
    })
  }

  #checkFits(stored: Dataset): void {
    const reason = misfit(formOf(stored), this.dataset)
    if (reason === null) return
    const { name } = this.dataset
    throw new TidemarkError(
      'E_COLUMNS',
      `dataset ${name} has messages in the lake that do not fit it: ${reason}`,
    )
  }

  /** The newest version. */
  async look(): Promise<Snapshot> {
    const snapshot = (await this.table.snapshot()) as Snapshot
    this.saw(snapshot)
    return snapshot
  }

  /** Commits what `changeOf` says of the newest version: another writer's last seal may have landed since it was seen. */
  async change(changeOf: (base: Snapshot) => Change | null): Promise<void> {
    const base = await this.look()
    const change = changeOf(base)
    if (change !== null) this.saw(await this.table.commit(base, change))
  }

  saw(snapshot: Snapshot): void {
    if (snapshot.version < this.#version) return
    this.#covered = coveredPosition(snapshot)
    this.#version = snapshot.version
  }
}
