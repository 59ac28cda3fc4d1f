import type { Readable } from 'node:stream'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { Audit } from '../../lake/audit.ts'
import type { Table } from '../../lake/delta/port.ts'
import type { Erasures } from '../../lake/erase/erasures.ts'
import type { LakeQueries } from '../../lake/query/queries.ts'
import type { Access } from '../../schemas/ports/access.ts'
import type { Clock, Pause, Random } from '../../schemas/ports/clock.ts'
import type { RunRecord, RunStarter } from '../../schemas/ports/layers.ts'
import type { SeenSenders } from '../../schemas/ports/senders.ts'
import type { Answers } from '../answers.ts'

/** Fastify whose routes are typed by their TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** SQL over HTTP. */
export interface ServedQueries {
  readonly queries: LakeQueries
  /** The table of a view; of the first one where it is null. Null where there is none of that name. */
  published(view: string | null): Table | null
  /** What is in the file that `write` makes at the path it is given, which has no name any more. */
  withFile<T>(write: (path: string) => Promise<T>): Promise<{ content: Content; about: T }>
  /** All of a text, when there is no more of it. */
  whole(text: AsyncIterable<string>): Promise<Content>
}

/** Bytes that are whole; many are read as they are sent. */
export type Content = Buffer | { readonly bytes: number; readonly body: Readable }

export interface HttpDeps {
  readonly answers: Answers
  readonly clock: Clock
  readonly random: Random
  /** Called while a long answer is written; absent: it is written without a pause. */
  readonly pause?: Pause
  /** The state of every layer, as JSON. */
  status(): Promise<object>
  ready(): Promise<{ readonly ready: boolean; readonly reasons: readonly string[] }>
  /** Recorded runs, newest first. */
  runs(): Promise<RunRecord[]>
  readonly runStarter: RunStarter
  /** Who sends, of the collector of this process; absent: there is none here, and nothing is told. */
  readonly senders?: SeenSenders
  /** Erasures; absent: they are not offered. */
  readonly erasures?: Erasures
  /** Where acts of those who do more than read are recorded; absent: nowhere. */
  readonly audit?: Pick<Audit, 'record'>
  /** SQL over the lake; absent: it is not offered. */
  readonly sql?: ServedQueries
  /** Who may ask; absent: anyone. */
  readonly access?: Access
  /** Names beside those of loopback under which it is asked, in lower case. */
  readonly hosts?: readonly string[]
  /** Requests a minute of one token or address; absent: any number. */
  readonly requestsMax?: number
  /** Origins of other sites whose pages may ask. */
  readonly cors?: readonly string[]
  readonly version: string
  /** Where the built pages are, other than in `pages/dist`. */
  readonly pages?: string
  /** Takes paths of the machine out of a text that anybody may read; absent: nothing is taken out. */
  hidePaths?(text: string): string
  logLine(line: string): void
}
