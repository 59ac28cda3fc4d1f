import { expect, test } from 'vitest'
import { agentText, benchAgent } from '../../bench/agent.ts'

test.skipIf(process.platform !== 'linux')(
  'the agent benchmark runs shortly and says what it measured',
  async () => {
    const cost = await benchAgent(2)
    expect(cost.messages).toBeGreaterThan(0)
    expect(agentText(cost)).toMatch(
      /samples in 2 s, on .*Node v[\s\S]*RSS[\s\S]*private[\s\S]*CPU of one core/,
    )
  },
)
