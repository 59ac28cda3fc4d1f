import { expect, test } from 'vitest'
import { sealThread } from '../../../cli/host/seal-thread.ts'
import { fileOfCells } from '../../../lake/parquet/cells.ts'
import { encodeSeal, mergeFiles, SEAL_DATES_MAX } from '../../../lake/writer/seal-files.ts'
import type { Block } from '../../../schemas/block.ts'
import { CellFold } from '../../../schemas/cell-fold.ts'
import { cellsOf, timesOf } from '../../../schemas/cells.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { DAY_MS } from '../../../schemas/time.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { DATE, sealedFiles } from '../../lake/rows.ts'
import { encodeBlock } from '../../sim/blocks.ts'
import { hostColumns } from '../../sim/messages.ts'

const DATASETS = [{ dataset: host, after: -1 }]

/** A block of `count` messages, a day apart from each other. */
function block(offset: number, count: number): Block {
  const messages = hostColumns(
    Array.from({ length: count }, (_, i) => ({
      service: `übung-${i % 3}`,
      host: `h${offset}`,
      timeMs: Date.UTC(2026, 10, 24) + offset + i * DAY_MS,
      gauges: [i, offset / 3, 0],
      agent: i % 2 === 0 ? 'a' : null,
      seq: i % 2 === 0 ? i + 1 : null,
    })),
  )
  return { partition: 1, offset, logTimeMs: 0, messages }
}

test('the thread makes the files that would be made here', async () => {
  const blocks = [
    { block: block(0, 1), rows: null },
    { block: block(1, 3), rows: Uint16Array.of(0, 2) },
    { block: { ...block(2, 3), payload: encodeBlock(block(2, 3).messages) }, rows: Uint16Array.of(0, 1) },
  ]
  const thread = sealThread()
  try {
    const here = encodeSeal(DATASETS, blocks)
    expect(here.files.map(({ about }) => about.rows)).toEqual([3, 1, 1])
    for (let again = 0; again < 3; again++) {
      const there = await thread.encode(DATASETS, blocks, again === 1)
      expect(there.blocks).toBe(3)
      expect(there.files.map(({ about }) => about)).toEqual(here.files.map(({ about }) => about))
      expect(there.files.map(({ bytes }) => Buffer.from(bytes))).toEqual(
        here.files.map(({ bytes }) => Buffer.from(bytes)),
      )
    }
  } finally {
    await thread.close()
  }
})

test('the thread merges as it would be done here, in whatever memory the files come', async () => {
  const thread = sealThread()
  try {
    const files = sealedFiles(3, 100)
    const here = await mergeFiles(host, files, DATE)
    expect(here.about.rows).toBe(300)
    const shared = new Uint8Array(files[2]!.length + 8)
    shared.set(files[2]!, 8)
    const there = await thread.merge(host, [files[0]!, files[1]!, shared.subarray(8)], DATE)
    expect(there.about).toEqual(here.about)
    expect(Buffer.from(there.bytes)).toEqual(Buffer.from(here.bytes))
    await expect(thread.merge(host, [new Uint8Array(100)], DATE)).rejects.toMatchObject({ code: 'E_ENGINE' })
  } finally {
    await thread.close()
  }
})

test('a file of cells is that which this thread makes', async () => {
  const thread = sealThread()
  try {
    const parts = [block(0, 3), block(1, 2)].map(({ messages }) => {
      const fold = new CellFold(serviceMinute)
      fold.addAll(messages)
      return fold.cells()
    })
    const [here, there] = [fileOfCells(parts), await thread.encodeCells(parts)]
    expect([there.about, Buffer.from(there.bytes)]).toEqual([here.about, Buffer.from(here.bytes)])
    // Their memory was handed over.
    for (const cells of parts) expect(timesOf(cells).length).toBe(0)
  } finally {
    await thread.close()
  }
})

test('ticks without cells are made one after the other, also beside each other', async () => {
  const thread = sealThread()
  try {
    const none = () => new CellFold(serviceMinute).cells()
    for (let again = 0; again < 2; again++)
      expect((await thread.encodeCells([none(), none()])).about.rows).toBe(0)
    expect(none()).toEqual(cellsOf(serviceMinute, []))
  } finally {
    await thread.close()
  }
})

test('seals and merges asked for at once are made one after the other', async () => {
  const thread = sealThread()
  try {
    const merge = thread.merge(host, sealedFiles(2, 100), DATE)
    const seal = thread.encode(DATASETS, [{ block: block(0, 3), rows: null }])
    expect((await merge).about.rows).toBe(200)
    expect((await seal).files.map(({ about }) => about.rows)).toEqual([1, 1, 1])
  } finally {
    await thread.close()
  }
})

test('a block that cannot be read is refused by name, and the thread goes on', async () => {
  const thread = sealThread()
  try {
    const broken = { ...block(0, 1), payload: Buffer.from([1, 0, 3, 9]) }
    expect(await thread.encode(DATASETS, [{ block: broken, rows: null }])).toMatchObject({
      blocks: 1,
      files: [],
      refused: [{ offset: 0 }],
    })
    await expect(thread.merge(host, [new Uint8Array(9)], DATE)).rejects.toMatchObject({ code: 'E_ENGINE' })
    expect((await thread.encode(DATASETS, [{ block: block(0, 1), rows: null }])).blocks).toBe(1)
  } finally {
    await thread.close()
  }
})

test('a seal that is interrupted by the end is an error, not a hanging promise', async () => {
  const thread = sealThread()
  const encoding = thread.encode(DATASETS, [{ block: block(0, 1), rows: null }])
  const failed = expect(encoding).rejects.toMatchObject({ code: 'E_ENGINE' })
  await thread.close()
  await failed
})

test('a seal ends before it would touch too many dates', () => {
  const many = encodeSeal(
    DATASETS,
    [block(0, SEAL_DATES_MAX - 1), block(1, SEAL_DATES_MAX + 9), block(2, 1)].map((one) => ({
      block: one,
      rows: null,
    })),
  )
  expect([many.blocks, many.files.length]).toEqual([2, SEAL_DATES_MAX + 9])
  expect(encodeSeal(DATASETS, []).blocks).toBe(0)
})
