import { type Dataset, nameColumns } from '../../schemas/dataset.ts'

/**
 * One message on its way from a protocol into a block: all that the two exchange. Its memory is used again for every
 * message of the dataset, so that none is allocated for a message.
 */
export class Row {
  readonly dataset: Dataset
  /** Numbers of the names in `DatasetIntake.names`, in the order of `nameColumns`: the keys, then the source. */
  readonly names: Int32Array
  readonly attributes: (string | null)[]
  /** Gauges in their order, NaN for an absent one, then time and seq (0 without). */
  readonly values: Float64Array

  constructor(dataset: Dataset) {
    this.dataset = dataset
    this.names = new Int32Array(nameColumns(dataset).length)
    this.attributes = dataset.attributes.map(() => null)
    this.values = new Float64Array(dataset.gauges.length + 2)
  }

  get seq(): number {
    return this.values[this.values.length - 1]!
  }
}
