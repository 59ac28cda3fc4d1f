import { setFlagsFromString } from 'node:v8'

/**
 * Lets V8 put the small readers of a line into the loop that calls them: together they are above what it inlines by itself, and
 * decoding gains a tenth.
 */
export function inlineMore(): void {
  setFlagsFromString('--max-inlined-bytecode-size=2000')
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=6000')
}
