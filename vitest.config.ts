import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/**
 * Threads that tests start take what types were stripped from out of this folder: a third of the work, and no WebAssembly, with which V8
 * now and then ends the whole process when such a thread ends (`Check failed: jit_page.has_value()`).
 */
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('.cache/compiled', import.meta.url))

/** Heavy tests that mostly wait, for clusters, brokers, containers or time limits: two of them leave each other enough. */
const WAITING = [
  'test/heavy/{kafka,containers}/**/*.test.ts',
  'test/heavy/{spark,s3}*.test.ts',
  'test/heavy/{agent-package,kill-both,lake-owner,outside-tables,stopped,tls}.test.ts',
]
const REAL_PROCESSES = {
  testTimeout: 300_000,
  hookTimeout: 60_000,
  // A busy machine may starve a real process once; what passed only at its second try is printed so.
  retry: 1,
}

/**
 * `unit` needs only memory and seconds; `law` is the law as a property, a minute or two; `heavy` starts real processes, a
 * browser and outside readers, and runs only where these are required (test/run.ts); so does `heavy-waiting`, two files at a time.
 */
export default defineConfig({
  test: {
    // As many files at a time as there are cores; a worker holds up to 800 MB.
    maxWorkers: Math.min(8, availableParallelism()),
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
          // Each takes all cores, with processes of its own.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'heavy',
          include: ['test/heavy/**/*.test.ts'],
          exclude: WAITING,
          ...REAL_PROCESSES,
          // One after the other, so that none starves another.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'heavy-waiting',
          include: WAITING,
          ...REAL_PROCESSES,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
