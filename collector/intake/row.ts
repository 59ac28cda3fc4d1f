import { type Dataset, nameColumns } from '../../schemas/dataset.ts'

/**
 * One message on its way from a protocol into a block, in memory that is used for every message again: what protocols and
 * intake have in common.
 */
export class Row {
  readonly dataset: Dataset
  /** Numbers of the names, in the order of `nameColumns`, as `DatasetIntake.names` gives them out. */
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
