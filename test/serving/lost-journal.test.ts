import { expect, test } from 'vitest'
import { serviceMinute } from '../../schemas/views/service-minute.ts'
import { emptyIndex } from '../../serving/index/view-index.ts'
import { momentOf } from '../../serving/moment.ts'

/** What is missing of a journal that is lost: closed behind offset 0, its ticks reach `chainEnd`. */
function missingAt(chainEnd: number): { partition: number; from: number; to: number | null }[] {
  const empty = emptyIndex(serviceMinute)
  const index = { ...empty, loaded: { ...empty.loaded, chainEnd: { 0: chainEnd }, closed: { 0: 1 } } }
  const { missing } = momentOf({ index, openCells: null, nowMs: 0, lagMs: 0, unread: null, imports: null })
  return missing.map(({ partition, from, to }) => ({ partition, from, to }))
}

test('what a lost journal held is missing until it is published', () => {
  expect(missingAt(-1)).toEqual([{ partition: 0, from: -1, to: 1 }])
})

test('a tick that was under way when the journal was lost does not make it whole', () => {
  expect(missingAt(1)).toEqual([{ partition: 0, from: 0, to: 1 }])
  expect(missingAt(7)).toEqual([{ partition: 0, from: 0, to: 1 }])
})
