import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../schemas/time.ts'
import { type History, serviceName } from '../lake/history.ts'

/** A kind of question, and what its answers may take. */
export interface Kind {
  readonly name: string
  readonly paths: readonly string[]
  /** 99 of 100 answers, in milliseconds; null where there is no promise. */
  readonly p99MsMax: number | null
  /** A server may not have such a path yet. */
  readonly mayLack?: true
}

/** So many questions of the dear kinds stand for hundreds of the cheap ones, and so many of the dearest. */
const DEAR_MAX = 50
const DEAREST_MAX = 10

/** Rows of a page, and what it is sorted by in turn. */
const PAGE_ROWS = 50
const ORDERS = [
  'service',
  '-messages',
  '-cpu.mean',
  '-cpu.max',
  'ram.max_time',
  '-ram.p95',
  'disk.p50',
  'disk.max_host',
]
const LIST_ORDERS = ['service', '-service', 'first_minute', '-last_minute', '-messages']
/** From so many services on, one answer about all of them promises nothing: pages do. */
export const MANY_SERVICES = 1_000

/** Every kind of question that is measured, `each` of it: of every service in turn, in ranges that begin at any minute. */
export function questionsOf(history: History, each: number): Kind[] {
  const { services, days, startMs } = history
  const endMs = startMs + days * DAY_MS
  let state = 1
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const between = (fromMs: number, toMs: number) => `from=${fromMs}&to=${toMs}`
  const within = (ms: number) => {
    const fromMs = startMs + random((endMs - startMs - ms) / MINUTE_MS + 1) * MINUTE_MS
    return between(fromMs, fromMs + ms)
  }
  /** All but some minutes at both ends, so that no answer is made of whole days alone. */
  const whole = () => between(startMs + random(60) * MINUTE_MS, endMs - random(60) * MINUTE_MS)
  const of = (what: string, range: () => string, count: number) =>
    Array.from({ length: count }, (_, i) => `/v1/services/${serviceName(i % services)}/${what}?${range()}`)
  const dear = Math.min(each, DEAR_MAX)
  const many = services >= MANY_SERVICES
  const sorted = (orders: readonly string[], path: (page: string) => string) =>
    Array.from({ length: dear }, (_, i) => path(`limit=${PAGE_ROWS}&sort=${orders[i % orders.length]!}`))
  const dayMs = Math.min(DAY_MS, endMs - startMs)
  return [
    { name: 'stats 1 h', paths: of('stats', () => within(HOUR_MS), each), p99MsMax: null },
    { name: 'stats 24 h', paths: of('stats', () => within(dayMs), each), p99MsMax: 3 },
    { name: `stats ${days} d`, paths: of('stats', whole, each), p99MsMax: 5 },
    {
      name: 'series 24 h',
      paths: of('series', () => `${within(dayMs)}&step=1m`, each),
      p99MsMax: 5,
      mayLack: true,
    },
    {
      name: `analytics ${days} d`,
      paths: Array.from(
        { length: many ? Math.min(each, DEAREST_MAX) : dear },
        () => `/v1/analytics?${whole()}`,
      ),
      p99MsMax: many ? null : 20,
    },
    {
      name: `analytics ${days} d, a page`,
      paths: sorted(ORDERS, (page) => `/v1/analytics?${whole()}&${page}`),
      p99MsMax: 100,
    },
    {
      name: `analytics ${days} whole d, a page`,
      paths: sorted(ORDERS, (page) => `/v1/analytics?${between(startMs, endMs)}&${page}`),
      p99MsMax: 100,
    },
    {
      name: 'services, a page',
      paths: sorted(LIST_ORDERS, (page) => `/v1/services?q=service&${page}`),
      p99MsMax: 100,
    },
    { name: `minutes ${days} d`, paths: of('minutes', whole, Math.min(each, DEAREST_MAX)), p99MsMax: null },
  ]
}
