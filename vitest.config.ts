import { defineConfig } from 'vitest/config'

/**
 * Two projects: `unit` is everything that needs only memory and milliseconds, laws included;
 * `heavy` starts real processes, browsers and outside readers.
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
        },
      },
      { test: { name: 'law', include: ['test/law/**/*.test.ts'], testTimeout: 240_000 } },
      {
        test: {
          name: 'heavy',
          include: ['test/heavy/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
