import { expect, test } from 'vitest'
import { benchImport, IMPORT_FILES, importText } from '../../../bench/import/import.ts'

test('the import benchmark runs small and says what it measured', async () => {
  const results = await benchImport(10_000, 1)
  expect(results.map(({ file, rows }) => [file, rows])).toEqual(IMPORT_FILES.map((file) => [file, 10_000]))
  for (const { runs } of results) {
    expect(runs[0]!.commandMs).toBeGreaterThan(runs[0]!.importMs)
    expect(runs[0]!.importPeakMib).toBeGreaterThan(0)
  }
  expect(importText(results)).toMatch(
    /Node v.*DuckDB v[\s\S]*csv: 10,000 rows[\s\S]*budget ≥ 0.50 M[\s\S]*by hand = \d[\s\S]*parquet: [\s\S]*budget ≥ 2.00 M/,
  )
}, 120_000)
