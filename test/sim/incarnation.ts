import type { Clock } from '../../schemas/ports/clock.ts'
import { nativeWork } from './native.ts'

/** How a port is seen by one process. */
export interface GateOptions {
  /** Methods that return ports themselves. */
  readonly wraps?: readonly string[]
  /** Awaited before each call, where it gives a promise: a slow device. A process that dies meanwhile never makes the call. */
  readonly delay?: () => Promise<void> | null
}

/**
 * One life of a simulated process. Ports seen through it stop answering when it dies: a call in flight never
 * returns, a timer never fires, so the code of a dead process stops at whatever `await` it had reached.
 */
export class Incarnation {
  alive = true
  /** Port calls so far. */
  calls = 0
  /** Told of each port call that was answered, before its caller hears of it: between two steps of the process. */
  answered: ((method: string, args: readonly unknown[]) => void) | null = null
  #dieIn = Number.POSITIVE_INFINITY
  #dieOf: string | null = null
  #died: () => void = () => {}
  readonly death = new Promise<void>((resolve) => {
    this.#died = resolve
  })

  /** Dies when `calls` more port calls were made, of `method` alone if given: the last has its effect and no answer. */
  dieAfter(calls: number, method: string | null = null): void {
    this.#dieIn = calls
    this.#dieOf = method
  }

  die(): void {
    if (!this.alive) return
    this.alive = false
    this.#died()
  }

  /** `port` as this process sees it. */
  gate<T extends object>(port: T, options: GateOptions = {}): T {
    const life = this
    return new Proxy(port, {
      get(target, name) {
        const value = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (!life.alive) return new Promise(() => {})
          const wait = options.delay?.()
          if (!wait) return life.#call(value.bind(target), String(name), args, options)
          return wait.then(() => life.#call(value.bind(target), String(name), args, options))
        }
      },
    })
  }

  #call(fn: (...args: unknown[]) => unknown, name: string, args: unknown[], options: GateOptions): unknown {
    if (!this.alive) return new Promise(() => {})
    const result = fn(...args)
    if (!(result instanceof Promise)) return result
    this.calls += 1
    if (this.#dieOf === null || this.#dieOf === name) this.#dieIn -= 1
    if (this.#dieIn <= 0) this.die()
    return new Promise((resolve, reject) => {
      const answer = (reply: () => void) => {
        if (this.alive) this.answered?.(name, args)
        if (this.alive) reply()
      }
      result.then(
        (got) => answer(() => resolve(options.wraps?.includes(name) && got ? this.gate(got, options) : got)),
        (error) => answer(() => reject(error)),
      )
    })
  }

  clock(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      after: (ms, fn) => clock.after(ms, () => this.alive && fn()),
    }
  }
}

/** Lets everything run that can without simulated time passing. */
export async function drain(): Promise<void> {
  do {
    await nativeWork()
    for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
  } while (nativeWork() !== null)
}
