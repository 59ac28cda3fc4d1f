import { budgetText } from '../budget.ts'
import { machine, ms, thousands } from '../measure.ts'
import type { Distributed } from './distributed.ts'
import { REQUESTS, type Requests } from './requests.ts'

/** Messages of a block, as collectors have it by default. */
const BLOCK_MESSAGES = 50
/** Fleets for which is computed what they need; each host sends every 10 s. */
const FLEETS = [10_000, 1_000_000]
const INTERVAL_SECONDS = 10
/** Of a core, so much is taken in the mean. */
const BUSY = 0.5
const VISIBLE_BEYOND_TICK_MS = 5_000
/** AWS's list prices for a million requests, in dollars. */
const PRICES = { list: 5, put: 5, get: 0.4, delete: 0 }

export function distributedText(result: Distributed): string {
  const { size, throughput, floors, layers, requests } = result
  const acks =
    size.brokers === 1
      ? 'one broker that syncs each group'
      : `${size.brokers} brokers, acks=all, min.insync.replicas=2`
  const { visibleMs, tickMs } = layers
  return `${machine()}; ${acks}, senders and brokers on the same cores, medians of ${size.seconds} seconds

${floors
  .map(({ count, recordBytes, recordsPerSecond, p99Ms }) => {
    const floor = recordsPerSecond * BLOCK_MESSAGES
    const of = throughput.filter((one) => one.count === count)
    return [
      `${count} ${count === 1 ? 'collector and partition' : 'collectors and partitions'}`,
      `  producer-performance     ${thousands(floor)} as records of ${recordBytes} bytes; p99 ${ms(p99Ms)}`,
      ...of.map(
        (one) =>
          `  ${one.client.padEnd(24)} ${thousands(one.perSecond)}; ack p99 ${ms(one.ackP99Ms)}, at half of that rate ${ms(one.halfP99Ms)}; collectors / producer = ${(one.perSecond / floor).toFixed(2)}; CPU a message ${us(one.collectorUs)} in collectors, ${us(one.brokerUs)} in brokers`,
      ),
    ].join('\n')
  })
  .join('\n')}

every layer at ${thousands(layers.rate)}, CPU a message
${[...Object.entries(layers.us), ['batch --full', layers.batchUs] as const].map(([name, each]) => `  ${name.padEnd(24)} ${us(each)}`).join('\n')}
  a message takes          ${layers.lakeBytes.toFixed(0)} bytes in the lake
  visible                  ${ms(visibleMs.p50)} (p50), p99 ${budgetText(visibleMs.p99, { atMost: tickMs + VISIBLE_BEYOND_TICK_MS }, ms)} after its acknowledgement, tick ${tickMs / 1_000} s${layers.unseen > 0 ? `; ${layers.unseen} NOT within a minute` : ''}

requests of a bucket in a day of 100 hosts, 20 services, every 10 s (counted for ${requests.seconds} s)
${[...Object.entries(requests.layers), ['24 runs', requests.runs] as const].map(([name, each]) => `  ${name.padEnd(24)} ${requestsText(each)}`).join('\n')}

computed of these: what a fleet needs whose hosts send every ${INTERVAL_SECONDS} s, cores half taken
${FLEETS.map((hosts) => fleetText(hosts, result)).join('\n')}`
}

/** Cores by layer and bytes a day of a fleet. */
function fleetText(hosts: number, { throughput, layers }: Distributed): string {
  const rate = hosts / INTERVAL_SECONDS
  const { brokerUs, collectorUs } = throughput[0]!
  // These two at their full rate: at a small one their groups are small.
  const costs = { brokers: brokerUs, ...layers.us, collector: collectorUs }
  const cores = Object.entries(costs).map(([name, each]) => `${name} ${coresOf(each, rate)}`)
  const messages = rate * 86_400
  const gib = (messages * layers.lakeBytes) / 2 ** 30
  const yearHours = (messages * 365 * layers.batchUs) / 1e6 / 3_600
  return `  ${hosts.toLocaleString('en')} hosts: ${thousands(rate)}; cores: ${cores.join(', ')}; lake ${gib.toFixed(gib < 10 ? 1 : 0)} GiB a day; ${yearHours.toFixed(0)} core hours to recompute a year`
}

const coresOf = (us: number, rate: number) => ((us * rate) / 1e6 / BUSY).toFixed(2)
const us = (value: number) => `${value.toFixed(2)} µs`

function requestsText(of: Requests): string {
  const counts = REQUESTS.map((kind) => `${of[kind].toLocaleString('en')} ${kind.toUpperCase()}`)
  const dollars = REQUESTS.reduce((sum, kind) => sum + (of[kind] * PRICES[kind]) / 1e6, 0)
  return `${counts.join(', ')}, ${mb(of.bytesSent)} sent, ${mb(of.bytesReceived)} received: $${dollars.toFixed(2)}`
}

const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`
