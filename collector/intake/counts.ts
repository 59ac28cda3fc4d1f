/** What the collector counted since it started. */
export interface Counts {
  accepted: number
  repeats: number
  refused: number
  /** Of those refused, messages with a name that was one too many. */
  tooManyNames: number
  ignoredFields: number
  /** Samples that agents said they lost before they could send them. */
  lostByAgents: number
}
