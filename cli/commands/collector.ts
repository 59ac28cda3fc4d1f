import { TidemarkError } from '../../schemas/errors.ts'
import type { Command } from '../command.ts'

export const collector: Command = {
  name: 'collector',
  summary: 'Run the collector alone, in a distributed deployment',
  flags: [],
  settings: ['collector.listen'],
  example: 'tidemark collector --help',
  run: async () => {
    // A collector alone would write a journal that no other process can read.
    throw new TidemarkError(
      'E_NEEDS_SETTING',
      'a collector alone needs kafka.brokers, which this release does not have yet; run `tidemark up`, which holds every layer',
    )
  },
}
