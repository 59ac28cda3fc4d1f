import { expect, test } from 'vitest'
import { distributedText } from '../../../bench/distributed/text.ts'

test('what a fleet needs is computed of what a message costs', () => {
  const requests = { list: 1_000_000, put: 0, get: 0, delete: 0, bytesSent: 2_500_000, bytesReceived: 0 }
  const text = distributedText({
    size: {
      brokers: 3,
      clients: ['kafkajs'],
      counts: [1],
      seconds: 1,
      rate: 1,
      tickMs: 5_000,
      requestSeconds: 1,
    },
    throughput: [
      {
        ...{ client: 'kafkajs', count: 1, perSecond: 50_000, ackP99Ms: 20, halfP99Ms: 10 },
        ...{ collectorUs: 2, brokerUs: 4 },
      },
    ],
    floors: [{ count: 1, recordBytes: 2_000, recordsPerSecond: 2_000, p99Ms: 5 }],
    layers: {
      ...{ messages: 1, rate: 1, tickMs: 5_000, us: { speed: 1 }, batchUs: 1, lakeBytes: 10 },
      ...{ visibleMs: { p50: 1, p99: 11_000, max: 11_000 }, unseen: 0 },
    },
    requests: { seconds: 1, layers: { serve: requests }, runs: requests },
  })
  expect(text).toContain('collectors / producer = 0.50')
  expect(text).toContain('(budget ≤ 10000 ms: OVER)')
  expect(text).toContain('1,000,000 LIST, 0 PUT, 0 GET, 0 DELETE, 3 MB sent, 0 MB received: $5.00')
  // 100,000 messages a second of 4 µs are 0.4 cores, half taken 0.8.
  expect(text).toMatch(
    /1,000,000 hosts: 100 k messages\/s; cores: brokers 0\.80, speed 0\.20, collector 0\.40; lake 80 GiB a day/,
  )
})
