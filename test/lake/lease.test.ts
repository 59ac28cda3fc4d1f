import { expect, test } from 'vitest'
import { type Lease, takeLease } from '../../lake/lease.ts'
import { MemoryStore, type StoreCall } from '../../lake/store/memory.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import { SimClock } from '../sim/clock.ts'
import { simRandom } from '../sim/random.ts'

const START_MS = Date.UTC(2026, 10, 22, 10)
const settled = () => new Promise((resolve) => setImmediate(resolve))

/** A lake in memory, and owners of it that may have clocks of their own. */
function lake() {
  const clock = new SimClock(START_MS)
  const store = new MemoryStore(clock)
  let seed = 1
  const lost: string[] = []
  const said: string[] = []
  const take = (name: string, own: SimClock = clock, signal?: AbortSignal) =>
    takeLease(
      { owner: `id-of-${name}`, holder: `tidemark up, process ${name}`, host: 'web-1' },
      {
        store,
        clock: own,
        random: simRandom(seed++),
        lost: ({ code }) => void lost.push(`${name} ${code}`),
        logLine: (line) => void said.push(line),
        ...(signal && { signal }),
      },
    )
  return { clock, store, take, lost, said }
}

/** Runs a promise to its end, however much time it needs. */
async function during<T>(work: Promise<T>, clock: SimClock, ms: number): Promise<T> {
  work.catch(() => {})
  await clock.advance(ms)
  return work
}

const isHeld = (lease: Lease) => lease.refusal() === null

test('a second owner is refused by the name, the machine and the time of the first, however long that runs', async () => {
  const { clock, store, take, lost } = lake()
  const first = await take('a')
  for (const ms of [0, 50_000, 3_600_000]) {
    await clock.advance(ms)
    await expect(take('b')).rejects.toMatchObject({
      code: 'E_LAKE_OWNED',
      message: expect.stringMatching(/tidemark up, process a on web-1, until 2026-11-22T1\d:\d\d:\d\d/),
    })
  }
  expect([isHeld(first), lost]).toEqual([true, []])
  // The newest, and thirty for lists that lag behind.
  expect(store.objects.size).toBe(31)
})

test('what was given back is taken at once, and so is the own of before a crash', async () => {
  const { clock, take } = lake()
  const first = await take('a')
  await first.close()
  expect([isHeld(first), clock.pending]).toEqual([false, 0])
  await take('b')
  // `b` dies without a word; its timers would not fire any more.
  expect(isHeld(await take('b'))).toBe(true)
})

test('an owner that fell silent is taken over after its time, and not a second owner beside it', async () => {
  const { clock, store, take, said } = lake()
  const dead = new SimClock(START_MS)
  await take('a', dead)
  await clock.advance(61_000)
  const next = [take('b'), take('c')].map((work) => during(work.then(isHeld), clock, 60_000))
  const results = await Promise.allSettled(next)
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(said.length).toBe(2)
  expect(store.objects.size).toBe(5)
})

test('an owner that others think gone, because their clock is ahead, is left alone', async () => {
  const { clock, take } = lake()
  const owner = await take('a')
  const ahead = new SimClock(START_MS + 7_200_000)
  const other = take('b', ahead)
  other.catch(() => {})
  await settled()
  await clock.advance(25_000)
  await ahead.advance(60_000)
  await expect(other).rejects.toMatchObject({ code: 'E_LAKE_OWNED' })
  await clock.advance(60_000)
  expect(isHeld(owner)).toBe(true)
})

test('an owner that slept while another took over is told once, and writes nothing more', async () => {
  const { clock, store, take, lost } = lake()
  const asleep = new SimClock(START_MS)
  const first = await take('a', asleep)
  const guarded = first.guard(store)
  await guarded.put('t/a', new Uint8Array(1))
  await clock.advance(61_000)
  const second = await during(take('b'), clock, 60_000)
  // Many renewals later, of which only the newest is still there.
  await clock.advance(600_000)
  asleep.step(700_000)
  await expect(guarded.putIfAbsent('t/b', new Uint8Array(1))).rejects.toMatchObject({ code: 'E_STORE' })
  await asleep.advance(300_000)
  expect(lost).toEqual(['a E_LAKE_OWNED'])
  await expect(guarded.delete('t/a')).rejects.toMatchObject({
    code: 'E_STORE',
    message: expect.stringMatching(/process b/),
  })
  await first.close()
  expect([isHeld(second), (await guarded.list('t/')).length, asleep.pending]).toEqual([true, 1, 0])
  await clock.advance(60_000)
  expect(isHeld(second)).toBe(true)
})

test('while it cannot be renewed writes wait before another could take it, and go on when it can', async () => {
  const { clock, store, take, lost, said } = lake()
  const lease = await take('a')
  store.faults = ({ what }) => {
    if (what === 'putIfAbsent') throw new TidemarkError('E_STORE', 'unreachable')
  }
  await clock.advance(39_000)
  expect(isHeld(lease)).toBe(true)
  await clock.advance(2_000)
  expect(lease.refusal()).toMatch(/could not be renewed/)
  clock.step(-3_600_000)
  expect(isHeld(lease)).toBe(false)
  store.faults = null
  await clock.advance(5_000)
  expect([isHeld(lease), lost, said.length]).toEqual([true, [], 1])
})

test('a renewal without an answer is the own one, whether it was stored or not', async () => {
  for (const when of ['before', 'after'] as const) {
    const { clock, store, take, lost } = lake()
    const lease = await take('a')
    let failures = 12
    store.faults = (call: StoreCall) => {
      if (call.what === 'putIfAbsent' && call.when === when && failures-- > 0)
        throw new TidemarkError('E_STORE_AMBIGUOUS', 'no answer')
    }
    await clock.advance(120_000)
    expect([isHeld(lease), lost]).toEqual([true, []])
  }
})

test('an entry that cannot be read keeps nobody out for ever', async () => {
  const { clock, store, take } = lake()
  await store.put('_lease/00000000000000000007.json', new Uint8Array([123, 255]))
  expect(isHeld(await during(take('a'), clock, 60_000))).toBe(true)
  expect([...store.objects.keys()].sort().at(-1)).toBe('_lease/00000000000000000008.json')
})

test('the wait for a silent owner ends when the process is to stop', async () => {
  const { clock, take } = lake()
  await take('a', new SimClock(START_MS))
  await clock.advance(61_000)
  const stop = new AbortController()
  const waiting = expect(take('b', clock, stop.signal)).rejects.toMatchObject({ code: 'E_CLOSED' })
  await clock.advance(1_000)
  stop.abort()
  await waiting
  expect(clock.pending).toBe(0)
})

test('of owners that come, sleep and go, never do two hold the lake at once', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = simRandom(seed)
    const { store } = lake()
    let made = seed * 1_000
    const owners = ['a', 'b', 'c'].map((name) => {
      const own = new SimClock(START_MS + Math.floor(random.float() * 10) * 60_000)
      return { name, clock: own, lease: null as Lease | null, asleepS: 0 }
    })
    const held = () => owners.filter(({ lease }) => lease?.refusal() === null)
    for (const owner of owners) void keepTaking(owner)

    async function keepTaking(owner: (typeof owners)[number]): Promise<void> {
      const deps = {
        store,
        clock: owner.clock,
        random: simRandom(made++),
        lost: () => void owner.clock.after(1_000, () => void keepTaking(owner)),
        logLine: () => {},
      }
      owner.lease = await takeLease({ owner: owner.name, holder: owner.name, host: 'h' }, deps).catch(
        () => null,
      )
      if (owner.lease === null) owner.clock.after(10_000, () => void keepTaking(owner))
    }

    let changes = 0
    let last = ''
    for (let second = 0; second < 1_200; second++) {
      for (const owner of owners) {
        if (random.float() < 0.003) owner.asleepS = Math.floor(random.float() * 200)
        if (owner.asleepS > 0) {
          owner.asleepS -= 1
          // The wall goes on, its timers do not.
          owner.clock.step(1_000)
        } else await owner.clock.advance(1_000)
      }
      const now = held()
      expect(now.length, `seed ${seed}, second ${second}`).toBeLessThanOrEqual(1)
      if (now[0] !== undefined && now[0].name !== last) changes += 1
      last = now[0]?.name ?? last
    }
    expect(changes).toBeGreaterThan(0)
  }
})
