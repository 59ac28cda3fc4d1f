import { expect, test } from 'vitest'
import { hiddenPaths } from '../../../cli/compose/hidden-paths.ts'

const hide = hiddenPaths({ dataDir: () => '/home/ann/data', lakeDir: () => '/home/ann/data/lake' })

test('what lies in the data directory is named from there, of other files only the name is left', () => {
  const cases = [
    ['log: /home/ann/data/journal/1.journal: ENOSPC', 'log: DATA/journal/1.journal: ENOSPC'],
    ['lake: /home/ann/data/lake/messages/_delta_log: EIO', 'lake: LAKE/messages/_delta_log: EIO'],
    ['cannot open "/usr/lib/x/duckdb.node"', 'cannot open "…/duckdb.node"'],
    ['(/etc/ssl/a.pem), then /opt/b/c.pem', '(…/a.pem), then …/c.pem'],
  ] as const
  for (const [said, shown] of cases) expect(hide(said)).toBe(shown)
})

test('what is no path of the machine stays', () => {
  for (const text of [
    'see GET /v1/services and http://127.0.0.1:8080/v1/runs/1',
    'messages/date=2026-01-01/part-1.parquet is damaged',
    '3 of 4/5, 1/2/3',
  ])
    expect(hide(text)).toBe(text)
})
