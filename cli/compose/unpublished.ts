import type { Batch } from '../../batch/batch.ts'
import { isError } from '../../schemas/errors.ts'
import type { Answers } from '../../serving/answers.ts'

/** Whether a view answers only once a run has published it: speed can no longer fold the messages that came before it. */
export function isUnpublished(answers: Answers, view: string): boolean {
  try {
    answers.basis(view)
    return false
  } catch (error) {
    if (!isError(error, 'E_UNPUBLISHED')) throw error
    return true
  }
}

/**
 * Lets a run publish the views that answer nothing before, and does not wait for the schedule: they are new, or the lake was lost beside a
 * trimmed journal.
 */
export function publishUnanswered(answers: Answers, batch: Batch, logLine: (line: string) => void): void {
  const unpublished = unpublishedOf(answers)
  if (unpublished.length === 0 || batch.status().active !== null) return
  logLine(`batch: ${unpublished.join(', ')} must be published to be answered; a run starts`)
  void batch.start({ full: false }).ended
}

export function unpublishedOf(answers: Answers): string[] {
  return answers.views().flatMap(({ view: { name } }) => (isUnpublished(answers, name) ? [name] : []))
}
