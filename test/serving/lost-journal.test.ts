import { expect, test } from 'vitest'
import { definitionHash } from '../../schemas/view.ts'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { IndexStore } from '../../serving/index/store.ts'
import { standing } from '../../serving/merge.ts'

/** What stands of a journal that is lost: closed behind offset 0, its ticks reach `chainEnd`. */
function missingAt(chainEnd: number): { partition: number; from: number; to: number | null }[] {
  const store = new IndexStore(':memory:', serviceMinute)
  const loaded = {
    ...store.loaded,
    hash: definitionHash(serviceMinute),
    chainEnd: { 0: chainEnd },
    closed: { 0: 1 },
  }
  store.apply({ loaded, dropDates: [], addDates: [], keepTicks: new Set(), addTicks: [] })
  const { missing } = standing({ store, openCells: null, nowMs: 0, lagMs: 0, unread: null })
  store.close()
  return missing.map(({ partition, from, to }) => ({ partition, from, to }))
}

test('what a lost journal held is missing until it is published', () => {
  expect(missingAt(-1)).toEqual([{ partition: 0, from: -1, to: 1 }])
})

test('a tick that was under way when the journal was lost does not make it whole', () => {
  expect(missingAt(1)).toEqual([{ partition: 0, from: 0, to: 1 }])
  expect(missingAt(7)).toEqual([{ partition: 0, from: 0, to: 1 }])
})
