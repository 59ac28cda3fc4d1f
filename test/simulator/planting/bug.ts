import { FAULTS } from '../faults.ts'

/** Every fault but lists that lag, and no task: a bug that these find names them. */
export const ALL_FAULTS = Object.keys(FAULTS)
  .filter((name) => name !== 'store-stale')
  .join()

/**
 * Code as it stands somewhere in a function. It is compared as syntax: how it is laid out, brackets, `!` and types do not matter.
 * A call of the pattern may have more arguments in the source, so `file.sync()` is every call of it.
 */
type Code = string

/** What becomes of the one place in a function that fits while the bug is awake. In `with`, `$` is what stood there. */
export type Change =
  /** The statement that is this call or assignment goes. */
  | { readonly drop: Code }
  /** The expression becomes another. */
  | { readonly replace: Code; readonly with: Code }
  /** The first argument of the call of this function becomes another. */
  | { readonly argument: Code; readonly with: Code }
  /** The condition that this is a part of, of an `if` or a `?`, becomes another. */
  | { readonly condition: Code; readonly with: Code }
  /** What is returned where this is a part of it becomes another. */
  | { readonly returned: Code; readonly with: Code }
  /** What this variable, field or property is set to becomes another. */
  | { readonly value: Code; readonly with: Code }
  /** Something else is done before the statement that this is a part of. */
  | { readonly before: Code; readonly with: Code }

/** A bug as a change of one function, wherever in the sources it is. */
export interface PlantedBug {
  /** The function: `name`, `Class.method`, `outer.inner`. */
  readonly in: string
  readonly change: Change
  /** Faults and tasks that lead to it: `ALL_FAULTS` where absent. */
  readonly faults?: string
  /** Steps of a history that may find it, where fewer than the usual ones do and these take long. */
  readonly steps?: number
  /** A seed that finds it; when the simulator has changed, others are tried. */
  readonly seed: number
}
