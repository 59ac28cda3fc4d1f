import type { FastifyInstance } from 'fastify'

/** Knows by which methods each path can be asked: of a path that is there another method is 405, and not 404. */
export class PathMethods {
  readonly #paths = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()

  /** Must be called before there are routes. */
  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ url, method }) => {
      // What is served as files has any name.
      if (url.includes('*')) return
      const known = this.#paths.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() }
      this.#paths.set(url, known)
      for (const one of [method].flat()) known.methods.add(one)
    })
  }

  /** By which methods a path can be asked; nothing where there is no such path. */
  of(path: string): readonly string[] {
    // A path that is named as it stands is no value of a parameter.
    const exact = this.#paths.get(path)
    const found = exact ? [exact] : [...this.#paths.values()].filter(({ pattern }) => pattern.test(path))
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort()
  }
}

function patternOf(url: string): RegExp {
  const parts = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part.replaceAll(/[^\w-]/g, '\\$&')))
  return new RegExp(`^${parts.join('/')}$`)
}
