/** Where senders connect, as the page that says so is reached. */
export interface Collector {
  readonly host: string
  readonly port: number
}

const DEFAULT_PORT = 7070

/** Sends a message with nothing but Node, and shows the answer; the same as in the README. */
export const byHand = ({ host, port }: Collector) =>
  `node -e 'require("net").connect(${port}, "${host.replace(/^\[|\]$/g, '')}").end(\`{"service":"web","cpu":1,"ram":2,"disk":3}\`).pipe(process.stdout)'`

/** What fills an empty system, and the command that does it. */
export function waysTo(collector: Collector): readonly (readonly [title: string, command: string])[] {
  const at = `--collector ${collector.host}:${collector.port}`
  return [
    ['Watch a machine', `npm run -s tidemark -- agent ${at} --service checkout --spool ./spool`],
    ['Send a line by hand', byHand(collector)],
    ['Bring history from a file', 'npm run -s tidemark -- import history.csv --set service=web'],
    ['Try it with a simulated fleet', `npm run -s tidemark -- fleet ${at} --services 4 --hosts 10`],
  ]
}

/**
 * The collector that a state names as `127.0.0.1:7070` or `[::1]:7070`, by the name under which this page is reached; one of
 * another process, which none names, is at a HOST that the reader knows.
 */
export function collectorAt(listen: string | undefined, host: string): Collector {
  if (listen === undefined) return { host: 'HOST', port: DEFAULT_PORT }
  return { host, port: Number(listen.slice(listen.lastIndexOf(':') + 1)) }
}
