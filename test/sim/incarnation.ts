import type { Clock } from '../../schemas/ports/clock.ts'

/**
 * One life of a simulated process. Ports seen through it stop answering when it dies: a call in flight never
 * returns, a timer never fires, so the code of a dead process stops at whatever `await` it had reached.
 */
export class Incarnation {
  alive = true
  /** Port calls so far. */
  calls = 0
  #dieAt = Number.POSITIVE_INFINITY
  #died: () => void = () => {}
  readonly death = new Promise<void>((resolve) => {
    this.#died = resolve
  })

  /** Dies when `calls` more port calls were made: the last of them has its effect and no answer. */
  dieAfter(calls: number): void {
    this.#dieAt = this.calls + calls
  }

  die(): void {
    if (!this.alive) return
    this.alive = false
    this.#died()
  }

  /** `port` as this process sees it. Methods in `wraps` return ports themselves. */
  gate<T extends object>(port: T, wraps: readonly string[] = []): T {
    const life = this
    return new Proxy(port, {
      get(target, name) {
        const value = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (!life.alive) return new Promise(() => {})
          const result = value.apply(target, args)
          if (!(result instanceof Promise)) return result
          life.calls += 1
          if (life.calls >= life.#dieAt) life.die()
          return new Promise((resolve, reject) => {
            result.then(
              (got) => life.alive && resolve(wraps.includes(String(name)) && got ? life.gate(got) : got),
              (error) => life.alive && reject(error),
            )
          })
        }
      },
    })
  }

  clock(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      after: (ms, fn) => clock.after(ms, () => this.alive && fn()),
    }
  }
}

/** Lets everything run that can without time passing. */
export async function drain(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
}
