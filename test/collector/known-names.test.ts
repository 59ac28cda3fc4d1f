import { expect, test } from 'vitest'
import { KNOWN_NAMES_MS_MAX } from '../../collector/intake/limits.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import { type Client, cpus, Rig } from './rig.ts'

const line = (service: string, host: string, seq: number) => ({
  service,
  host,
  cpu: seq,
  ram: 2,
  disk: 3,
  seq,
})

/** What the lake holds of `host`. */
const known = (services: string[], hosts: string[]) => [
  { dataset: 'host', column: 'service', names: services },
  { dataset: 'host', column: 'host', names: hosts },
]

/** A collector that was started again, with two services and two hosts known from before. */
async function startedAgain(): Promise<Rig> {
  const rig = new Rig()
  rig.knownNames = async () => known(['web', 'checkout'], ['web-1', 'web-2'])
  await rig.restart({ servicesMax: 2, hostsMax: 2 })
  return rig
}

/** Sends a message of a stranger, before anybody else. */
async function stranger(rig: Rig): Promise<Client> {
  const client = await rig.hello('stranger')
  client.send(line('new', 'web-1', 1))
  await rig.run()
  return client
}

test('after a restart the names that were known have their places before any stranger', async () => {
  const rig = await startedAgain()
  const strange = await stranger(rig)
  const client = await rig.hello('a')
  client.send(line('web', 'web-1', 1), line('checkout', 'web-2', 2))
  await rig.run()
  expect([strange.codes, client.codes, client.acks.at(-1)]).toEqual([['E_SERVICES_MAX'], [], 2])
  expect(cpus(rig.log)).toEqual([1, 2])
})

test('a numbered message that is refused for a limit is told, kept, counted and logged', async () => {
  const rig = await startedAgain()
  const strange = await stranger(rig)
  strange.send(line('new', 'web-1', 2), line('web', 'web-3', 3), line('web', 'web-1', 4))
  await rig.run()
  expect(strange.errors.map(({ seq, code }) => [seq, code])).toEqual([
    [1, 'E_SERVICES_MAX'],
    [2, 'E_SERVICES_MAX'],
    [3, 'E_HOSTS_MAX'],
  ])
  expect(rig.rejects().map(({ raw }) => JSON.parse(raw as string).seq)).toEqual([1, 2, 3])
  expect(rig.collector.status()).toMatchObject({ accepted: 1, refused: 3, tooManyNames: 3 })
  expect(rig.lines).toEqual([
    'collector: of dataset host as many values of service are known as collector.services_max allows; messages with another are refused, "new" is the first (E_SERVICES_MAX)',
    'collector: of dataset host as many values of host are known as collector.hosts_max allows; messages with another are refused, "web-3" is the first (E_HOSTS_MAX)',
  ])
  await rig.run(HOUR_MS)
  const later = await rig.hello('stranger')
  later.send(line('newer', 'web-1', 5))
  await rig.run()
  expect(rig.lines[2]).toMatch(/"newer" is the first/)
})

test('known names that do not come for a day make room like any other', async () => {
  const rig = await startedAgain()
  await rig.clock.advance(25 * HOUR_MS)
  const strange = await stranger(rig)
  expect([strange.codes, cpus(rig.log)]).toEqual([[], [1]])
})

test('more names than may be known: the first of them have the places', async () => {
  const rig = new Rig()
  rig.knownNames = async () => known(['a', '..', 'b', 'c'], [])
  await rig.restart({ servicesMax: 2 })
  const client = await rig.hello('x')
  client.send(line('c', 'h', 1), line('a', 'h', 2), line('b', 'h', 3))
  await rig.run()
  expect([client.codes, cpus(rig.log)]).toEqual([['E_SERVICES_MAX'], [2, 3]])
})

test('names of datasets and columns that are no longer defined are left out', async () => {
  const rig = new Rig()
  rig.knownNames = async () => [
    { dataset: 'gone', column: 'service', names: ['a'] },
    { dataset: 'host', column: 'gone', names: ['a'] },
    { dataset: 'scores', column: 'lunch', names: ['no'] },
  ]
  await rig.restart({ servicesMax: 1 })
  const client = await rig.hello('x')
  client.send({ dataset: 'scores', group: 'A', lunch: 'yes', math: 1, reading: 2, seq: 1 })
  await rig.run()
  expect([client.codes, client.errors[0]!.field]).toEqual([['E_SERVICES_MAX'], 'lunch'])
})

test('names that cannot be had are said, and the collector starts without them', async () => {
  const rig = new Rig()
  rig.knownNames = async () => {
    throw new Error('the lake is away')
  }
  await rig.restart()
  expect(rig.lines).toEqual(['collector: the names of the lake are not known: the lake is away'])
  const client = await rig.hello('a')
  client.send(line('web', 'h', 1))
  await rig.run()
  expect(client.acks).toEqual([1])
})

test('names that take long are waited for, for a while; those that come later still get places', async () => {
  const rig = new Rig()
  let come = (_: ReturnType<typeof known>) => {}
  rig.knownNames = () => new Promise((resolve) => (come = resolve))
  const starting = rig.restart({ servicesMax: 2 })
  await rig.run(KNOWN_NAMES_MS_MAX - 1)
  expect([rig.collector, rig.lines]).toEqual([undefined, []])
  await rig.run(1)
  await starting
  expect(rig.lines).toEqual(['collector: the names of the lake are not known yet; it starts without them'])
  const strange = await stranger(rig)
  come(known(['web', 'checkout'], []))
  await rig.run()
  const client = await rig.hello('a')
  client.send(line('web', 'h', 1), line('checkout', 'h', 2))
  await rig.run()
  expect([strange.codes, client.codes]).toEqual([[], ['E_SERVICES_MAX']])
})

test('nothing is left behind', async () => {
  const rig = await startedAgain()
  const closed = rig.collector.close()
  await rig.run(1_000)
  await closed
  expect(rig.clock.pending).toBe(0)
})
