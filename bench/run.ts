import { DAY_MS } from '../schemas/time.ts'
import { agentText, benchAgent } from './agent.ts'
import { backfillText, benchBackfill } from './backfill/backfill.ts'
import { benchConnections, connectionsText } from './connections/connections.ts'
import { benchDistributed } from './distributed/distributed.ts'
import { distributedText } from './distributed/text.ts'
import { benchEngines, ENGINES } from './engines/engines.ts'
import { enginesText } from './engines/text.ts'
import { benchFold, foldText } from './fold/fold.ts'
import { benchImport, importText } from './import/import.ts'
import { benchDecoding, decodingText } from './ingest/decoding.ts'
import { benchIngest, ingestText } from './ingest/ingest.ts'
import { benchSketches, sketchesText } from './ingest/paired.ts'
import { benchStorage, storageText } from './lake/storage.ts'
import { benchLive, liveText } from './live/live.ts'
import { benchPages, pagesText } from './pages/pages.ts'
import { benchPeers, peersText } from './peers/compare.ts'
import { benchRecompute, SHAPES, shapesOf } from './recompute/recompute.ts'
import { recomputeText } from './recompute/text.ts'
import { MANY_SERVICES } from './serving/questions.ts'
import { benchServing } from './serving/serving.ts'
import { servingText } from './serving/text.ts'
import { benchSoak, soakText } from './soak/soak.ts'

interface Benchmark {
  readonly name: string
  /** What may stand behind its name. */
  readonly sizes: string
  run(words: readonly string[]): Promise<string>
}

/** Medians of so many. */
const RECOMPUTE_ROUNDS = 5
const IMPORT_ROUNDS = 3
/** Questions of each kind, and how long those of one kind are asked at once. */
const ASKED = { each: 500, seconds: 10 }

/** Three brokers, and so many collectors and partitions with each client. */
const DEPLOYED = { brokers: 3, clients: ['kafkajs', 'platformatic'], counts: [1, 2, 4], tickMs: 5_000 }

/** `npm run bench -- NAME [SIZE ...]`: every benchmark prints the machine and its ratio to a floor measured beside it. */
const BENCHMARKS: readonly Benchmark[] = [
  {
    name: 'agent',
    sizes: '[SECONDS]',
    run: async (words) => agentText(await benchAgent(...numbers(words, 600))),
  },
  {
    name: 'backfill',
    sizes: '[SERVICES] [HOURS]',
    run: async (words) => backfillText(await benchBackfill(...numbers(words, 200, 20))),
  },
  {
    name: 'decode',
    sizes: '[ROUNDS]',
    run: async (words) => decodingText(benchDecoding(...numbers(words, 150))),
  },
  {
    name: 'distributed',
    sizes: '[SECONDS] [RATE] [SECONDS OF REQUESTS]',
    async run(words) {
      const [seconds, rate, requestSeconds] = numbers(words, 10, 20_000, 180)
      return distributedText(await benchDistributed({ ...DEPLOYED, seconds, rate, requestSeconds }))
    },
  },
  {
    name: 'engines',
    sizes: `[${ENGINES.join('|')} ...] [MESSAGES] [ROUNDS]`,
    async run(words) {
      const named = ENGINES.filter((engine) => words.includes(engine))
      const rest = words.filter((word) => !ENGINES.some((engine) => engine === word))
      const [messages, rounds] = numbers(rest, 10_000_000, 1)
      const engines = named.length > 0 ? named : ENGINES
      const sizes = [Math.round(messages / 10), messages]
      return enginesText(
        await benchEngines({ engines, messages: sizes, rounds, hasCluster: true }, console.log),
      )
    },
  },
  {
    name: 'fold',
    sizes: '[ROUNDS] [MESSAGES]',
    run: async (words) => foldText(benchFold(...numbers(words, 30, 200_000))),
  },
  {
    name: 'import',
    sizes: '[ROWS]',
    async run(words) {
      const [rows] = numbers(words, 10_000_000)
      return importText(await benchImport(rows, IMPORT_ROUNDS))
    },
  },
  {
    name: 'ingest',
    sizes: '[SECONDS]',
    run: async (words) => ingestText(await benchIngest(...numbers(words, 20))),
  },
  {
    name: 'lake',
    sizes: '[HOSTS] [SERVICES] [HOURS]',
    async run(words) {
      const [hosts, services, hours] = numbers(words, 100, 20, 24)
      return storageText(await benchStorage({ hosts, services, hours, startMs: lastMidnight() }))
    },
  },
  {
    name: 'sketches',
    sizes: '[SECONDS] [PAIRS]',
    run: async (words) => sketchesText(await benchSketches(...numbers(words, 10, 5))),
  },
  {
    name: 'peers',
    sizes: '[SECONDS]',
    run: async (words) => peersText(await benchPeers(...numbers(words, 20))),
  },
  {
    name: 'connections',
    sizes: '[AGENTS] [SECONDS] [SPOOLED]',
    run: async (words) => connectionsText(await benchConnections(...numbers(words, 10_000, 60, 3_600))),
  },
  {
    name: 'live',
    sizes: '[FOLLOWERS] [MESSAGES] [SERVICES]',
    run: async (words) => liveText(await benchLive(...numbers(words, 1_000, 20, 20))),
  },
  {
    name: 'pages',
    sizes: '[SERVICES] [LOADS]',
    run: async (words) => pagesText(await benchPages(...numbers(words, 1_000, 7))),
  },
  {
    name: 'recompute',
    sizes: `[${SHAPES.join('|')} ...] [SHARE]`,
    async run(words) {
      const named = SHAPES.filter((shape) => words.includes(shape))
      const rest = words.filter((word) => !SHAPES.some((shape) => shape === word))
      const shapes = shapesOf(named.length > 0 ? named : SHAPES, ...numbers(rest, 1))
      return recomputeText(await benchRecompute(shapes, RECOMPUTE_ROUNDS))
    },
  },
  {
    name: 'serving',
    sizes: '[SERVICES] [DAYS] [MESSAGES A SECOND BESIDE THE QUESTIONS]',
    async run(words) {
      const [services, days, rate] = numbers(words, 20, 30, 0)
      const straight = services >= MANY_SERVICES
      return servingText(await benchServing({ services, days, straight, rate, ...ASKED }, console.log))
    },
  },
  {
    name: 'soak',
    sizes: '[SECONDS] [RATE] [SECONDS BETWEEN RUNS, 0 FOR NONE]',
    async run(words) {
      const [seconds, rate, runSeconds] = numbers(words, 600, 100_000, 60)
      return soakText(await benchSoak(seconds, rate, runSeconds, console.log))
    },
  },
]

/** The midnight in UTC before the last: peers keep what is young. */
const lastMidnight = () => Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS

/** The words as numbers, each with a default for where there is none. Throws for what is no number. */
function numbers<const T extends readonly number[]>(
  words: readonly string[],
  ...defaults: T
): { -readonly [K in keyof T]: number } {
  const unknown = words.find((word, i) => i >= defaults.length || !(Number(word) >= 0))
  if (unknown !== undefined) throw new Error(`${unknown} is no size that this benchmark has`)
  return defaults.map((value, i) => (words[i] === undefined ? value : Number(words[i]))) as never
}

const [name, ...words] = process.argv.slice(2)
const bench = BENCHMARKS.find((one) => one.name === name)
if (bench === undefined) {
  const lines = BENCHMARKS.map((one) => `  npm run bench -- ${one.name} ${one.sizes}`)
  console.error(['The benchmarks:', ...lines].join('\n'))
  process.exitCode = 2
} else {
  try {
    console.log(await bench.run(words))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
