import type { FastifyRequest } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { TidemarkError } from '../../../schemas/errors.ts'
import { joinKey, splitKey } from '../../../schemas/key.ts'
import type { Clock, Pause } from '../../../schemas/ports/clock.ts'
import { shown } from '../../../schemas/shown.ts'
import type { View } from '../../../schemas/view.ts'
import type { Answers } from '../../answers.ts'

export interface QuestionsDeps {
  readonly answers: Answers
  readonly clock: Clock
  /** Called while a long answer is written; absent: it is written without a pause. */
  readonly pause?: Pause
}

/** Where the questions about a view are asked, and how a request names a key. */
export interface Place {
  readonly view: View
  /** Path of the keys, like `/v1/views/service_minute/keys`. */
  readonly keys: string
  /** What the keys are called in the answer. */
  readonly named: string
  /** Path in front of `/stats`, `/cells` and `/series`. */
  readonly of: string
  readonly analytics: string
  /** What the question about merged cells is called. */
  readonly cells: 'cells' | 'minutes'
  /** Key columns that stand in the path; the others are parameters. */
  readonly inPath: readonly string[]
  /** A view of a longer key that begins alike: `by=` its last column asks for each of its keys apart. */
  readonly finer?: View
}

/** The query of a request, checked against its schema. */
export type Asked = { readonly [name: string]: string | undefined }

/** What a place says of requests: the schemas of how they name a key. */
export function namingOf({ view, inPath, finer }: Place) {
  const inQuery = view.key.filter((column) => !inPath.includes(column))
  const params = Type.Object(Object.fromEntries(inPath.map((column) => [column, Type.String()])))
  const apart = finer?.key.at(-1) ?? ''
  const BY: { [name: string]: TSchema } =
    finer === undefined
      ? {}
      : { by: Type.Optional(Type.String({ enum: [apart], description: `Each ${apart} apart` })) }
  return {
    keyQuery: Object.fromEntries(inQuery.map((column) => [column, Type.String()])),
    /** The same where all keys may be meant. */
    keyFilter: filterQuery(view, inPath),
    about: inPath.length > 0 ? { params } : {},
    /** The last column of the finer view's key. */
    apart,
    BY,
  }
}

/** The key columns of a view as parameters that may be absent. */
export function filterQuery(view: View, except: readonly string[] = []) {
  const columns = view.key.filter((column) => !except.includes(column))
  return Object.fromEntries(
    columns.map((column) => [
      column,
      Type.Optional(Type.String({ description: `Only keys of this ${column}` })),
    ]),
  )
}

/** The key that a request names in full. */
export function keyOf({ view }: Place, request: FastifyRequest): string {
  const named = { ...(request.query as Asked), ...(request.params as Asked) }
  return joinKey(view.key.map((column) => named[column]!))
}

/** An answer about a key. Throws `E_NOT_FOUND` where there is none. */
export function found<T>({ view, keys }: Place, answer: T | null, key: string): T {
  if (answer !== null) return answer
  const what = splitKey(key).map((value, k) => `${view.key[k]} ${shown(value)}`)
  throw new TidemarkError('E_NOT_FOUND', `there is no ${what.join(', ')}`, {
    field: view.key[0]!,
    hint: `see GET ${keys}`,
  })
}

/** Which keys a request wants by `q`, a part of any of the key's values, and by key columns. */
export function wanting(view: View, asked: Asked): (key: string) => boolean {
  const values = view.key.map((column) => asked[column])
  const part = (asked.q ?? '').toLowerCase()
  const isFiltered = values.some((value) => value !== undefined)
  return (key) => {
    if (!key.toLowerCase().includes(part)) return false
    return !isFiltered || splitKey(key).every((value, k) => values[k] === undefined || values[k] === value)
  }
}
