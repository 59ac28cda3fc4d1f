/** What lines that must be refused say they are of, where they say it: it must never be seen. */
export const REFUSED_SERVICE = 'refused'

/** What of a line is wrong, while all else of it is right. */
const WRONG_FIELDS = [
  '"cpu":-1',
  '"cpu":1e400',
  '"cpu":1.0000000000000002e15',
  '"cpu":"1"',
  '"cpu":null',
  '"cpu":1,"cpu":-1',
  '"host":""',
  '"host":"a\\tb"',
  '"host":"\\ud83d"',
  '"host":"\u007f"',
  `"host":"${'h'.repeat(129)}"`,
  '"time_stamp":"1970-01-01T00:00:00Z"',
  '"time_stamp":4102444800000',
  '"time_stamp":"2026-11-30T23:58:60Z"',
  '"time_stamp":"2026-11-31T00:00:00Z"',
  '"time_stamp":"2026-11-30T23:50:00"',
  '"time_stamp":"2026-11-30 23:50:00Z"',
  '"time_stamp":null',
]
/** What is no JSON there. */
const NO_JSON = [
  '"cpu":01',
  '"cpu":.5',
  '"cpu":1.',
  '"cpu":+1',
  '"cpu":1e',
  '"cpu":1,',
  '"cpu":1 "x":1',
  '"host":"a\tb"',
]

function lineWith(field: string): string {
  const name = field.slice(0, field.indexOf(':'))
  const gauges = ['"cpu":1', '"ram":1', '"disk":1'].filter((gauge) => !gauge.startsWith(name))
  return `{"service":"${REFUSED_SERVICE}",${[...gauges, field].join()}}`
}

const WRONG_LINES = WRONG_FIELDS.map(lineWith)

/** Lines that must be refused, each for another reason. */
export const BAD_LINES: readonly (string | Uint8Array)[] = [
  '',
  '[]',
  '{}',
  `{"service":"${REFUSED_SERVICE}"`,
  `{"service":"${REFUSED_SERVICE}","cpu":1,"ram":1}`,
  `${WRONG_LINES[0]} ${WRONG_LINES[0]}`,
  '{"hello":1,"agent":"too late"} ',
  Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
  ...WRONG_LINES,
  ...NO_JSON.map(lineWith),
  lineWith(`"x":"${'y'.repeat(66_000)}"`),
]

/** One of the lines whose number can be read all the same, with that number. */
export function badNumberedLine(seq: number, pick: number): string {
  return WRONG_LINES[Math.floor(pick * WRONG_LINES.length)]!.replace('{', `{"seq":${seq},`)
}
