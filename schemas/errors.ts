/**
 * Every error that a user, an operator or another program can meet: what it means, whether trying again
 * can help, and what to do. Nothing else is thrown on purpose; a test walks this list.
 */
export const ERRORS = {
  // A line of a sender, answered on its connection.
  E_UTF8: { meaning: 'the line is not valid UTF-8', retryable: false, hint: 'send UTF-8' },
  E_JSON: {
    meaning: 'the line is not one JSON object',
    retryable: false,
    hint: 'send one JSON object a line',
  },
  E_LINE_TOO_LONG: {
    meaning: 'the line is longer than 64 KiB',
    retryable: false,
    hint: 'send shorter lines',
  },
  E_SERVICE: {
    meaning: 'service, or another key, is missing or wrong',
    retryable: false,
    hint: 'send 1 to 128 characters without control characters',
  },
  E_HOST: {
    meaning: 'host, or another source, is wrong',
    retryable: false,
    hint: 'send 1 to 128 characters without control characters, or leave it out',
  },
  E_TIME: {
    meaning: 'time_stamp is wrong or out of range',
    retryable: false,
    hint: 'check the clock of the sending machine; older data: lower collector.oldest',
  },
  E_GAUGE: {
    meaning: 'a gauge is missing or wrong',
    retryable: false,
    hint: 'send a finite number within the bounds of the gauge; of host from 0 to 1e15',
  },
  E_ATTRIBUTE: {
    meaning: 'an attribute is wrong',
    retryable: false,
    hint: 'send text of at most 1,024 characters, or leave it out',
  },
  E_DATASET: {
    meaning: 'there is no such dataset',
    retryable: false,
    hint: 'define it as [datasets.NAME] in tidemark.toml; `tidemark datasets` lists those there are',
  },
  E_SEQ: {
    meaning: 'seq is missing or wrong',
    retryable: false,
    hint: 'after a hello every message carries a growing whole number "seq"',
  },
  E_HELLO: {
    meaning: 'the hello is wrong or not the first line',
    retryable: false,
    hint: 'send {"hello":1,"agent":"<id>"} as line 1',
  },
  E_AGENT_TWICE: {
    meaning: 'two senders use one agent id',
    retryable: false,
    hint: 'give each sender its own spool; do not clone agent folders',
  },
  E_SERVICES_MAX: {
    meaning: 'too many services',
    retryable: false,
    hint: 'name fewer services, or raise collector.services_max',
  },
  E_HOSTS_MAX: {
    meaning: 'too many hosts',
    retryable: false,
    hint: 'name fewer hosts, or raise collector.hosts_max',
  },
  E_CONNECTIONS: {
    meaning: 'too many connections',
    retryable: true,
    hint: 'raise collector.connections_max or close idle senders',
  },
  E_TOKEN: {
    meaning: 'the access token is missing or not valid',
    retryable: false,
    hint: 'make one with `tidemark token create`; agents take it by --token-file, HTTP as bearer token or password',
  },
  E_CLOCK: {
    meaning:
      "the sender's clock, or a message, is more than 10 minutes ahead of the collector's, whose clock may be wrong",
    retryable: false,
    hint: 'set the clock that is wrong, of the collector or of the sender (timedatectl); until then the sender keeps what it has',
  },
  E_TLS: {
    meaning: 'one side speaks TLS and the other does not',
    retryable: false,
    hint: 'agents: --tls or --ca FILE exactly where the collector has collector.tls_cert',
  },
  E_PROTOCOL: {
    meaning: 'the peer speaks another protocol',
    retryable: false,
    hint: 'send lines of JSON to collector.listen, HTTP to serving.listen',
  },
  E_SLOW: {
    meaning: 'a line took too long to arrive',
    retryable: true,
    hint: 'send whole lines, each within 60 s',
  },
  E_IDLE: {
    meaning: 'the connection was idle for too long',
    retryable: true,
    hint: 'connect again, or raise collector.idle',
  },
  E_COLUMNS: {
    meaning: 'data has other columns than its dataset or view',
    retryable: false,
    hint: 'a dataset may gain an optional gauge or an attribute; give anything else a new name',
  },
  // Disk, journal, network.
  E_DISK: { meaning: 'the disk failed', retryable: true, hint: 'check the disk and its permissions' },
  E_DISK_FULL: { meaning: 'the disk is full', retryable: true, hint: 'make room; work resumes alone' },
  E_LOCKED: {
    meaning: 'another process uses this data directory',
    retryable: false,
    hint: 'stop it, or give this one another --data',
  },
  E_LOG: {
    meaning: 'the log cannot be reached',
    retryable: true,
    hint: 'check log.url and the brokers; work resumes alone',
  },
  E_TRIMMED: {
    meaning: 'that part of the log is trimmed',
    retryable: false,
    hint: 'start from the tidemark',
  },
  E_JOURNAL_VERSION: {
    meaning: 'the journal is of a format this release does not know',
    retryable: false,
    hint: 'use the release that wrote it, or a newer one',
  },
  E_NEWER: {
    meaning: 'a newer release wrote this',
    retryable: false,
    hint: 'upgrade this process: it goes on where it was',
  },
  E_SAMPLE: {
    meaning: 'a gauge of this host cannot be read',
    retryable: true,
    hint: 'check what the message names; samples are whole again when it answers',
  },
  E_BACKUP: {
    meaning: 'the backup cannot be used',
    retryable: false,
    hint: 'give the folder or bucket that `tidemark backup` was given; --list shows the backups in it',
  },
  E_QUERY: {
    meaning: 'the query cannot be run',
    retryable: false,
    hint: 'a query is one SELECT over the tables of the lake; SHOW TABLES lists them',
  },
  E_QUERY_LIMIT: {
    meaning: 'the query is beyond a limit',
    retryable: true,
    hint: 'ask for less, or raise query.time_max, query.memory_max, query.rows_max or query.answer_max',
  },
  E_CLOSED: { meaning: 'it is closed', retryable: false, hint: 'the process is stopping' },
  E_LISTEN: {
    meaning: 'cannot listen on that address',
    retryable: false,
    hint: 'choose another port; 0 takes a free one',
  },
  E_CONNECT: {
    meaning: 'cannot connect',
    retryable: true,
    hint: 'check that the collector runs and is reachable',
  },
  E_EXPOSED: {
    meaning: 'it would be open to everyone beyond this machine',
    retryable: false,
    hint: 'make a token with `tidemark token create`, listen on 127.0.0.1, or say --insecure',
  },
  E_TOKEN_FILE: {
    meaning: 'the file of access tokens cannot be read',
    retryable: false,
    hint: 'restore it from a backup, or delete it and make the tokens anew',
  },
  E_ROLE: {
    meaning: 'the access token does not allow this',
    retryable: false,
    hint: 'use a token of another role: viewer asks, agent sends, admin also starts runs',
  },
  E_GUESSES: {
    meaning: 'too many wrong access tokens',
    retryable: true,
    hint: 'wait a minute, and show a token that is valid',
  },
  E_RATE: {
    meaning: 'too many requests',
    retryable: true,
    hint: 'ask less often, or raise serving.requests_max',
  },
  E_MISDIRECTED: {
    meaning: 'the request names a host that is not this one',
    retryable: false,
    hint: 'ask by address or localhost, or list the name in serving.hosts; with a token any name will do',
  },
  E_SITE: {
    meaning: 'a page of another site asked for it',
    retryable: false,
    hint: "do it on Tidemark's own pages, or with a token: Authorization: Bearer TOKEN",
  },
  E_CERTIFICATE: {
    meaning: 'a certificate or its key is wrong',
    retryable: false,
    hint: 'check certificate, key, CA, host name and the clock',
  },
  // Lake.
  E_STORE: {
    meaning: 'the object store refused',
    retryable: true,
    hint: 'check lake.url and its permissions',
  },
  E_STORE_AMBIGUOUS: {
    meaning: 'the object store did not say whether it stored',
    retryable: true,
    hint: 'none needed: it is read back',
  },
  E_LAKE_OWNED: {
    meaning: 'another process owns this lake',
    retryable: false,
    hint: 'stop it, or give this one another --lake-url; what was killed is taken over within two minutes',
  },
  E_CONFLICT: {
    meaning: 'another writer committed first',
    retryable: true,
    hint: 'none needed: the work starts again from the table',
  },
  E_TABLE_VERSION: {
    meaning: 'the table needs a newer Delta protocol',
    retryable: false,
    hint: 'only reader 1 and writer 2 are supported',
  },
  E_TABLE_DAMAGED: {
    meaning: 'the log of a table cannot be read',
    retryable: false,
    hint: 'restore the named file from a backup; what is computed (a view, its ticks, the records of runs) is made anew when `tidemark up` starts, and where layers are processes of their own by `tidemark lake mend`, while all but collectors are stopped',
  },
  E_VERSION_GONE: {
    meaning: 'that version is not kept',
    retryable: false,
    hint: 'ask for one from the oldest to the newest; lake.retention says how long they are kept',
  },
  E_INDEX_DAMAGED: {
    meaning: 'the serving index is damaged',
    retryable: true,
    hint: 'nothing to do: it is made anew from the lake',
  },
  E_FILE_DAMAGED: {
    meaning: 'a data file is missing or damaged',
    retryable: false,
    hint: 'restore the named file from a backup; its hours keep their last computed cells',
  },
  // Runs, queries, commands.
  E_CANCELLED: { meaning: 'it was cancelled', retryable: true, hint: 'start it again' },
  E_RUN_ENDED: { meaning: 'the run has ended', retryable: false, hint: 'look at it: GET /v1/runs/{run}' },
  E_RUN_ACTIVE: { meaning: 'a run is going on', retryable: true, hint: 'wait for it; see GET /v1/runs' },
  E_ENGINE: { meaning: 'the batch engine failed', retryable: true, hint: 'see the run record' },
  E_PARAMETER: { meaning: 'a parameter is wrong', retryable: false, hint: 'see /openapi.json' },
  E_BUSY: {
    meaning: 'as many as there may be are served already',
    retryable: true,
    hint: 'try again later',
  },
  E_UNPUBLISHED: {
    meaning: 'the view was not published yet',
    retryable: true,
    hint: 'wait for the next run, or start one: `tidemark batch --once`',
  },
  E_METHOD: {
    meaning: 'it cannot be asked in that way',
    retryable: false,
    hint: 'the header Allow names the methods; see /openapi.json',
  },
  E_NOT_FOUND: {
    meaning: 'there is no such thing',
    retryable: false,
    hint: 'see /openapi.json for what can be asked',
  },
  E_USAGE: { meaning: 'the command is used wrongly', retryable: false, hint: 'see --help' },
  E_CONFIG: { meaning: 'a setting is wrong', retryable: false, hint: 'see tidemark config' },
  E_DEPLOYMENT: {
    meaning: 'this process and its lake do not agree on what a deployment must have the same everywhere',
    retryable: false,
    hint: 'use the same settings for every process; `tidemark datasets --publish` changes the definitions of all',
  },
  E_NO_DEPLOYMENT: {
    meaning: 'nothing has begun to fill the lake',
    retryable: true,
    hint: 'start a collector, a lake writer or a speed worker on the same lake.url',
  },
  E_ERASURE: {
    meaning: 'an erasure is not over yet',
    retryable: true,
    hint: 'it is tried again every hour; `tidemark erase --pending` tries at once',
  },
  E_RUN_ELSEWHERE: {
    meaning: 'runs are started by another process',
    retryable: false,
    hint: 'use `tidemark batch --once`, or wait for the schedule of `tidemark batch`',
  },
  E_NEEDS_SETTING: {
    meaning: 'a setting is needed for this',
    retryable: false,
    hint: 'set it by flag, environment or tidemark.toml',
  },
} as const

export type ErrorCode = keyof typeof ERRORS

/** An error of the list. `message` says what happened here, naming file, field or parameter. */
export class TidemarkError extends Error {
  readonly code: ErrorCode
  /** The field or parameter that is wrong, where there is one. */
  readonly field: string | undefined
  /** What to do: that of the list, or what is known better where it happens. */
  readonly hint: string

  constructor(
    code: ErrorCode,
    message: string,
    options: { field?: string; hint?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'TidemarkError'
    this.code = code
    this.field = options.field
    this.hint = options.hint ?? ERRORS[code].hint
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable
  }
}

/** Whether `error` is the listed error `code`. */
export function isError(error: unknown, code: ErrorCode): error is TidemarkError {
  return error instanceof TidemarkError && error.code === code
}

/** Whether `code` is the error's own or that of one which caused it. */
export function isCausedBy(error: unknown, code: ErrorCode): error is TidemarkError {
  for (let cause = error; cause instanceof TidemarkError; cause = cause.cause)
    if (cause.code === code) return true
  return false
}

/** One line for a log: the message, and its code where it has one. */
export function describeError(error: unknown): string {
  if (error instanceof TidemarkError) return `${error.message} (${error.code})`
  return error instanceof Error ? error.message : String(error)
}
