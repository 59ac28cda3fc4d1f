/**
 * Every setting: its type, default and meaning. `--help`, `tidemark config` and the table in
 * docs/operations.md are generated from this list. A setting `a.b_c` is the flag `--a-b-c`, the variable
 * `TIDEMARK_A_B_C` and, in tidemark.toml, key `b_c` of table `[a]`.
 */
export type SettingKind =
  | 'string'
  | 'duration'
  | 'bytes'
  | 'integer'
  | 'price'
  | 'keep'
  | 'boolean'
  | 'address'
  | 'cron'
  | 'date'
  | 'hosts'
  | 'origins'

export interface Setting {
  readonly name: string
  readonly kind: SettingKind
  /** As a user would write it. */
  readonly default: string
  readonly about: string
  /** Hidden when shown. */
  readonly secret?: true
}

export const SETTINGS = [
  { name: 'data', kind: 'string', default: './data', about: 'Directory of everything Tidemark stores' },
  { name: 'collector.listen', kind: 'address', default: '127.0.0.1:7070', about: 'Where agents connect' },
  {
    name: 'collector.block_messages',
    kind: 'integer',
    default: '50',
    about: 'Messages gathered into one block',
  },
  { name: 'collector.linger', kind: 'duration', default: '250ms', about: 'Longest wait for a block to fill' },
  {
    name: 'collector.oldest',
    kind: 'date',
    default: '2000-01-01',
    about: 'Messages with an earlier time_stamp are refused',
  },
  {
    name: 'collector.connections_max',
    kind: 'integer',
    default: '10000',
    about: 'Connections open at once; a further one is refused',
  },
  {
    name: 'collector.services_max',
    kind: 'integer',
    default: '10000',
    about: 'Distinct services seen within a day; messages of a further one are refused',
  },
  {
    name: 'collector.hosts_max',
    kind: 'integer',
    default: '100000',
    about: 'Distinct hosts seen within a day; messages of a further one are refused',
  },
  {
    name: 'collector.unsealed_max',
    kind: 'bytes',
    default: '8GiB',
    about: 'Acknowledged and not yet in the lake; while there is more, senders wait',
  },
  {
    name: 'collector.idle',
    kind: 'duration',
    default: '15m',
    about: 'A connection silent for this long is closed',
  },
  {
    name: 'collector.tls_cert',
    kind: 'string',
    default: '',
    about: 'Certificate of the collector, a PEM file: agents then connect with TLS',
  },
  { name: 'collector.tls_key', kind: 'string', default: '', about: 'Its key, a PEM file' },
  {
    name: 'log.url',
    kind: 'string',
    default: '',
    about: 'Where the log is that processes of one layer each share: kafka://HOST:PORT/TOPIC',
  },
  {
    name: 'log.partitions',
    kind: 'integer',
    default: '4',
    about: 'Partitions of that log; fixed by the process that starts first',
  },
  {
    name: 'log.kafka_client',
    kind: 'string',
    default: 'kafkajs',
    about: 'What speaks to Kafka: kafkajs or platformatic',
  },
  { name: 'log.replication', kind: 'integer', default: '3', about: 'Brokers that keep each block' },
  {
    name: 'log.min_insync',
    kind: 'integer',
    default: '2',
    about: 'Brokers that must have a block before it is acknowledged, at most log.replication',
  },
  { name: 'log.tls', kind: 'boolean', default: 'false', about: 'Whether to speak TLS to Kafka' },
  { name: 'log.ca', kind: 'string', default: '', about: 'CA of the brokers, a PEM file: TLS is spoken then' },
  {
    name: 'log.sasl_mechanism',
    kind: 'string',
    default: 'scram-sha-512',
    about: 'How to log in at Kafka: plain, scram-sha-256 or scram-sha-512',
  },
  { name: 'log.sasl_username', kind: 'string', default: '', about: 'User at Kafka; none: no login' },
  { name: 'log.sasl_password', kind: 'string', default: '', about: 'Its password', secret: true },
  {
    name: 'health.listen',
    kind: 'address',
    default: '127.0.0.1:7080',
    about: 'Where a process of one layer tells how it is: /healthz, /readyz, /metrics',
  },
  {
    name: 'serving.listen',
    kind: 'address',
    default: '127.0.0.1:8080',
    about: 'Where pages and API are served',
  },
  {
    name: 'serving.hosts',
    kind: 'hosts',
    default: '',
    about:
      'Names under which pages and API are asked without a token, separated by commas; addresses, localhost and that of serving.listen need not be listed',
  },
  {
    name: 'serving.requests_max',
    kind: 'integer',
    default: '600000',
    about:
      'Requests a minute with one token, or without one from one address; further ones are refused until the minute is over',
  },
  {
    name: 'serving.tls_cert',
    kind: 'string',
    default: '',
    about: 'Certificate of pages and API, a PEM file: they are then asked by https',
  },
  { name: 'serving.tls_key', kind: 'string', default: '', about: 'Its key, a PEM file' },
  {
    name: 'serving.cors',
    kind: 'origins',
    default: '',
    about:
      'Other sites whose pages may ask the API, by origin, separated by commas: https://board.example.org; with a token where one is needed',
  },
  {
    name: 'speed.tick',
    kind: 'duration',
    default: '30s',
    about: 'Time between two commits of real-time cells',
  },
  {
    name: 'speed.engine',
    kind: 'string',
    default: 'worker',
    about:
      'What folds a shared log: worker (the process of `tidemark speed`), or spark (a streaming job that it submits)',
  },
  {
    name: 'batch.schedule',
    kind: 'cron',
    default: '0 * * * *',
    about: 'When batch runs start (cron, UTC; a sixth field in front is seconds)',
  },
  {
    name: 'batch.engine',
    kind: 'string',
    default: 'duckdb',
    about: 'What executes a run: duckdb, spark (a cluster), or reference (slow, for comparison)',
  },
  {
    name: 'spark.home',
    kind: 'string',
    default: '',
    about:
      'Folder of the Spark whose bin/spark-submit sends the jobs; default: spark-submit on the search path',
  },
  {
    name: 'spark.master',
    kind: 'string',
    default: 'local[2]',
    about: "Where Spark's jobs run: spark://host:7077, or local[N] for N threads of this machine",
  },
  {
    name: 'spark.jars',
    kind: 'string',
    default: '',
    about:
      "Jars beside Spark's own, paths with commas between, * in a name: hadoop-aws and what it needs, for a lake in a bucket",
  },
  { name: 'spark.limit', kind: 'duration', default: '1h', about: 'Longest time of one Spark job' },
  {
    name: 'lake.url',
    kind: 'string',
    default: '',
    about: 'Where the lake lies: a directory, a file:// URL or s3://BUCKET/PREFIX; default DATA/lake',
  },
  {
    name: 'lake.s3_endpoint',
    kind: 'string',
    default: '',
    about: 'URL of the S3 server; default AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, then AWS itself',
  },
  {
    name: 'lake.s3_region',
    kind: 'string',
    default: '',
    about: 'Region of the bucket; default AWS_REGION, AWS_DEFAULT_REGION, then us-east-1',
  },
  {
    name: 'lake.s3_path_style',
    kind: 'string',
    default: 'auto',
    about:
      "Whether the bucket stands in the URL's path and not in its host: true, false, or auto, true but at AWS itself",
  },
  {
    name: 'lake.s3_access_key',
    kind: 'string',
    default: '',
    about:
      'Access key of the bucket; default: environment, ~/.aws/credentials, then the role of container or instance',
  },
  {
    name: 'lake.s3_secret_key',
    kind: 'string',
    default: '',
    about: 'Its secret key; better in the environment than in a flag, which every user of a machine sees',
    secret: true,
  },
  {
    name: 'lake.s3_profile',
    kind: 'string',
    default: '',
    about: 'Profile in ~/.aws/credentials; default AWS_PROFILE, then default',
  },
  {
    name: 'lake.copies_max',
    kind: 'bytes',
    default: '4GiB',
    about: 'Copies of files of a lake in a bucket that are kept in DATA/copies for runs',
  },
  {
    name: 'lake.httpfs',
    kind: 'string',
    default: '',
    about:
      "File of DuckDB's extension httpfs, of the same version: runs and SQL then read a bucket by it, without copies",
  },
  {
    name: 'serving.index_days',
    kind: 'integer',
    default: '35',
    about:
      'Days whose minutes are kept in the serving index; older ones are read from the lake when asked for',
  },
  { name: 'query.time_max', kind: 'duration', default: '30s', about: 'Longest time of one SQL query' },
  {
    name: 'query.memory_max',
    kind: 'bytes',
    default: '512MiB',
    about: 'Memory of one SQL query before it spills to disk, of which it may use four times as much',
  },
  {
    name: 'query.rows_max',
    kind: 'integer',
    default: '100000',
    about: 'Rows that the answer of one SQL query has; further ones are cut off, and it says so',
  },
  {
    name: 'query.answer_max',
    kind: 'bytes',
    default: '1GiB',
    about: 'Bytes of a CSV or Parquet answer of SQL over HTTP, which lie on the disk until they are sent',
  },
  {
    name: 'lake.retention',
    kind: 'duration',
    default: '24h',
    about: 'How long superseded files and table versions are kept',
  },
  {
    name: 'lake.keep',
    kind: 'keep',
    default: 'forever',
    about:
      'How long messages are kept, by whole dates; their cells stay. Rules by commas, like 400d, scores=30d or host/checkout=7d',
  },
  {
    name: 'cost.per_gb_month',
    kind: 'price',
    default: '0',
    about: 'What a GB of the lake costs in a month, in any currency, for /v1/status; 0: no price is told',
  },
  {
    name: 'insecure',
    kind: 'boolean',
    default: 'false',
    about: 'Whether anyone may send and ask without a token, also from beyond this machine',
  },
  {
    name: 'tokens.loopback',
    kind: 'boolean',
    default: 'false',
    about: 'Whether peers on this machine need a token too, as behind a proxy',
  },
  {
    name: 'tokens.agent',
    kind: 'string',
    default: '',
    about:
      'Tokens of role agent beside those of DATA/tokens.json, separated by commas; for containers, by the environment',
    secret: true,
  },
  { name: 'tokens.viewer', kind: 'string', default: '', about: 'Likewise of role viewer', secret: true },
  { name: 'tokens.admin', kind: 'string', default: '', about: 'Likewise of role admin', secret: true },
  { name: 'agent.enabled', kind: 'boolean', default: 'true', about: "Whether `up` runs this host's agent" },
  {
    name: 'agent.service',
    kind: 'string',
    default: 'tidemark',
    about: "Service under which `up`'s own agent reports",
  },
  { name: 'agent.interval', kind: 'duration', default: '1s', about: 'Time between two samples' },
  {
    name: 'agent.scope',
    kind: 'string',
    default: 'auto',
    about:
      'Whose CPU and RAM: of the `host`, of the `container`, or `auto`, the container where it has limits',
  },
] as const satisfies readonly Setting[]

export type SettingName = (typeof SETTINGS)[number]['name']

/** `--a-b-c` */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[._]/g, '-')}`
}

/** `TIDEMARK_A_B_C` */
export function variableOf(name: string): string {
  return `TIDEMARK_${name.replaceAll(/[._]/g, '_').toUpperCase()}`
}
