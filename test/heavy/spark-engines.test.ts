import { expect, test } from 'vitest'
import { benchEngines, ENGINES } from '../../bench/engines/engines.ts'
import { mrjobPython } from '../../bench/engines/mrjob.ts'
import { enginesText } from '../../bench/engines/text.ts'
import { needs } from './needs.ts'
import { sparkHome } from './spark-cluster.ts'

const SMALL = { engines: ENGINES, messages: [4_000], rounds: 1, hasCluster: false }

const found =
  needs('pyspark', sparkHome() !== null) && needs('mrjob (.ci/run installs it)', mrjobPython !== null)

test.runIf(found)(
  'the benchmark of engines runs small, and all give the same cells',
  async () => {
    const lines: string[] = []
    const result = await benchEngines(SMALL, (line) => lines.push(line))
    expect(result.measured.map(({ engine, messages }) => [engine, messages])).toEqual(
      ENGINES.map((engine) => [engine, 4_001]),
    )
    expect(lines).toHaveLength(ENGINES.length)
    for (const { taken } of result.measured) expect(taken[0]!.cpuSeconds).toBeGreaterThan(0)
    expect(Object.keys(result.hashes[0]!).sort()).toEqual([
      'host_minute',
      'service_minute',
      'service_minute without sketches',
    ])
    expect(enginesText(result)).toMatch(
      /cores.*Node v[\s\S]*4,001 messages[\s\S]*Spark .*CPU [\s\S]*the same cells/,
    )
  },
  600_000,
)
