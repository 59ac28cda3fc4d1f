import { expect, test } from 'vitest'
import { composeConfig, imagesFound } from './stack.ts'

const found = await imagesFound()

test.runIf(found).each([
  ['none', ['kafka', 'batch', 'serve-2', 'web'], ['broker-1', 'spark-master']],
  ['three-brokers', ['kafka', 'broker-1', 'broker-3'], ['spark-master']],
  ['spark', ['batch-spark', 'spark-master', 'spark-worker-1', 'spark-worker-2'], ['broker-1']],
])('docker-compose.yml is whole under the profile %s, its images pinned', async (profile, has, lacks) => {
  const { services } = await composeConfig(profile)
  expect(Object.keys(services)).toEqual(expect.arrayContaining(has))
  for (const name of lacks) expect(services).not.toHaveProperty(name)
  for (const [name, { image }] of Object.entries(services))
    expect([name, image]).toEqual([name, expect.stringMatching(/^[a-z.]+\/[a-z0-9/-]+:v?\d+\.\d+/)])
})

test.runIf(found)('the one broker makes room for three', async () => {
  const scaleWith = async (env: Record<string, string>) =>
    Number((await composeConfig('three-brokers', env)).services.kafka!.scale)
  expect([await scaleWith({}), await scaleWith({ KAFKA_ALONE: '0' })]).toEqual([1, 0])
})
