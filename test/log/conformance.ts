import { expect, test, vi } from 'vitest'
import type { Log, LogReader } from '../../log/port.ts'
import type { Senders } from '../../log/senders.ts'
import type { Block } from '../../schemas/block.ts'
import { block } from './journal/samples.ts'

/** A log that is empty, and a way to what another process, or this one after a start, finds in it. */
export interface Conforming {
  readonly log: Log & { readonly senders: Senders }
  /** May close the first, where one process alone can have it. */
  again(): Promise<LogReader>
  close(): Promise<void>
}

/** What whoever reads or appends relies on, whatever the log is: the sentences of its port, as tests. */
export function conforms(open: () => Promise<Conforming>): void {
  test('blocks come back in the order of their appends, at growing offsets', async () => {
    await using made = disposable(await open())
    const { log } = made
    const [partition] = log.partitions() as [number]
    expect([log.end(partition), log.start(partition)]).toEqual([-1, -1])
    expect(await log.read(partition, -1, 10)).toMatchObject({ blocks: [], gaps: [], to: -1 })
    const sent = Array.from({ length: 300 }, (_, i) => block('a', i + 1))
    const offsets = await Promise.all(sent.map((payload) => log.append(partition, payload)))
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
    const blocks = await blocksOf(log, partition)
    expect(blocks.map(({ offset }) => offset)).toEqual(offsets)
    expect(blocks.map(({ messages }) => messages.seq[0])).toEqual(sent.map((_, i) => i + 1))
    expect(log.end(partition)).toBe(offsets.at(-1))
    expect([log.senders.highestSeq('a'), log.senders.highestSeq('b'), log.pendingBytes()]).toEqual([
      300, 0, 0,
    ])
    const times = blocks.map(({ logTimeMs }) => logTimeMs)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  test('reading begins anywhere, and gives as many blocks as were asked for', async () => {
    await using made = disposable(await open())
    const { log } = made
    const [partition] = log.partitions() as [number]
    const offsets: number[] = []
    for (let i = 1; i <= 5; i++) offsets.push(await log.append(partition, block('a', i)))
    const { blocks, to } = await log.read(partition, offsets[2]!, 1)
    expect([blocks.map(({ offset }) => offset), to]).toEqual([[offsets[3]], offsets[3]])
    expect(await log.read(partition, log.end(partition), 10)).toMatchObject({ blocks: [], to: offsets[4] })
  })

  test('whoever listens is told that the end grew, and then no more', async () => {
    await using made = disposable(await open())
    const { log } = made
    const [partition] = log.partitions() as [number]
    const ends: number[] = []
    const stop = log.onAppend(() => void ends.push(log.end(partition)))
    const first = await log.append(partition, block('a', 1))
    await vi.waitFor(() => expect(ends.at(-1)).toBe(first), 5_000)
    stop()
    await log.append(partition, block('a', 2))
    expect(ends.at(-1)).toBe(first)
  })

  test('trim forgets nothing above its position, and says so of what it forgot', async () => {
    await using made = disposable(await open())
    const { log } = made
    const [partition] = log.partitions() as [number]
    const offsets: number[] = []
    for (let i = 1; i <= 60; i++) offsets.push(await log.append(partition, block('a', i)))
    const [at] = offsets.slice(40)
    log.covered({ [partition]: at! })
    await log.trim({ [partition]: at! })
    const start = log.start(partition)
    expect(start).toBeGreaterThan(-1)
    expect(start).toBeLessThanOrEqual(at!)
    await expect(log.read(partition, start - 1, 10)).rejects.toMatchObject({ code: 'E_TRIMMED' })
    const kept = offsets.filter((offset) => offset > start)
    expect((await blocksOf(log, partition)).map(({ offset }) => offset)).toEqual(kept)
    const again = await made.again()
    await vi.waitFor(() => expect(again.end(partition)).toBe(offsets.at(-1)), 5_000)
    expect(again.start(partition)).toBe(start)
    expect((await blocksOf(again, partition)).map(({ offset }) => offset)).toEqual(kept)
  })

  test('a log that is closed takes no more', async () => {
    await using made = disposable(await open())
    const { log } = made
    const [partition] = log.partitions() as [number]
    await log.append(partition, block('a', 1))
    await log.close()
    await log.close()
    await expect(log.append(partition, block('a', 2))).rejects.toMatchObject({ code: 'E_CLOSED' })
  })
}

/** Every block kept of a partition. */
export async function blocksOf(log: LogReader, partition: number): Promise<Block[]> {
  const blocks: Block[] = []
  for (let after = log.start(partition); after < log.end(partition); ) {
    const slice = await log.read(partition, after, 100)
    if (slice.to <= after) throw new Error(`no progress after ${after}`)
    blocks.push(...slice.blocks)
    after = slice.to
  }
  return blocks
}

function disposable(made: Conforming): Conforming & AsyncDisposable {
  return { ...made, [Symbol.asyncDispose]: () => made.close() }
}
