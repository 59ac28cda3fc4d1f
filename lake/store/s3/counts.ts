/** What a store is asked for, as its owner pays for it. */
export const OPERATIONS = ['get', 'put', 'list', 'delete', 'multipart'] as const
export type Operation = (typeof OPERATIONS)[number]

export interface OperationCounts {
  /** Sent, repeats among them. */
  requests: number
  /** Those sent again, because the one before was refused or had no answer. */
  repeats: number
  /** Bytes of bodies, without headers. */
  bytesSent: number
  bytesReceived: number
}

export type RequestCounts = { readonly [operation in Operation]: OperationCounts }

/** What is counted of one bucket: what this process asks for itself, and by way of DuckDB and Spark. */
export interface AllCounts extends RequestCounts {
  /** In runs; a HEAD is a get too, and DuckDB sends nothing else. */
  readonly duckdb: Pick<RequestCounts, 'get'>
  /** Of jobs on Spark, by their driver and executors. */
  readonly spark: SparkCounts
}

/** As Hadoop counts: an operation on a file is one request or several. */
export interface SparkCounts {
  reads: number
  writes: number
  bytesSent: number
  bytesReceived: number
}

export function noRequests(): RequestCounts {
  const none = () => ({ requests: 0, repeats: 0, bytesSent: 0, bytesReceived: 0 })
  return { get: none(), put: none(), list: none(), delete: none(), multipart: none() }
}

export function noneOfSpark(): SparkCounts {
  return { reads: 0, writes: 0, bytesSent: 0, bytesReceived: 0 }
}
