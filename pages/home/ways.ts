/** Sends a message with nothing but Node, and shows the answer; the same as in the README. */
export const BY_HAND =
  'node -e \'require("net").connect(7070, "127.0.0.1").end(`{"service":"web","cpu":1,"ram":2,"disk":3}`).pipe(process.stdout)\''

/** What fills an empty system, and the command that does it. */
export const WAYS = [
  [
    'Watch a machine',
    'npm run -s tidemark -- agent --collector HOST:7070 --service checkout --spool ./spool',
  ],
  ['Send a line by hand', BY_HAND],
  ['Bring history from a file', 'npm run -s tidemark -- import history.csv --set service=web'],
  ['Try it with a simulated fleet', 'npm run -s tidemark -- fleet --services 4 --hosts 10'],
] as const
