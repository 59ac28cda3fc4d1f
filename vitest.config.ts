import { defineConfig } from 'vitest/config'

/**
 * `unit` needs only memory and seconds; `law` is the law as a property, a minute or two; `heavy` starts real processes, a
 * browser and outside readers, and runs only where these are required (test/run.ts).
 */
export default defineConfig({
  test: {
    // Two files at a time: what the smallest machine has cores for.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/heavy/**', 'test/law/**'],
          testTimeout: 20_000,
          // Tests keep no state in modules: files share a worker, and each source is loaded once.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'law',
          include: ['test/law/**/*.test.ts'],
          testTimeout: 600_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'heavy',
          include: ['test/heavy/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          // A busy machine may starve a real process once; what passed only at its second try is printed so.
          retry: 1,
          // Real processes: one after the other, so that none starves another.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
