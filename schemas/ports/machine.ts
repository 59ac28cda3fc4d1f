/**
 * What an agent asks of the machine that it runs on. A call that returns a promise may fail, and may never return: callers
 * set a time limit of their own.
 */
export interface Machine {
  /** Milliseconds from some beginning, which pass evenly: unlike wall time they never step. */
  monotonicMs(): number
  /** Returns what all cores did since boot, added up. */
  coreTimes(): CoreTimes
  /** Returns the machine's memory, in bytes. `available` is what could be had, caches that would go included. */
  memory(): Promise<{ readonly total: number; readonly available: number }>
  /** Returns the root file system's use, in bytes. `available` is what ordinary users may still fill. */
  rootDisk(): Promise<{ readonly used: number; readonly available: number }>
  /**
   * Returns the text of a file of the control group that this process sees as the outermost one (cgroup v2), by its name, like
   * `cpu.max`; null where there is none.
   */
  controlGroupFile(name: string): Promise<string | null>
}

/** Time that cores have spent since boot, in milliseconds and added up. */
export interface CoreTimes {
  readonly busyMs: number
  readonly allMs: number
  readonly cores: number
}
