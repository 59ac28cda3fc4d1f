import { expect, test } from 'vitest'
import type { GroupMember } from '../../../log/kafka/client.ts'
import { GroupOwnership } from '../../../log/kafka/group-ownership.ts'
import { SimClock } from '../../sim/clock.ts'
import { START_MS } from '../journal/samples.ts'

/** A group that whoever asks may join, while it is reachable. */
class Group {
  readonly members: GroupMember[] = []
  reachable = true
  left = 0
  async join(_group: string, member: GroupMember) {
    if (!this.reachable) throw new Error('unreachable')
    this.members.push(member)
    return {
      leave: async () => {
        this.left += 1
      },
    }
  }
}

function joined(client: Pick<Group, 'join'>) {
  const clock = new SimClock(START_MS)
  const lines: string[] = []
  const ownership = new GroupOwnership('speed', { client, clock, logLine: (line) => void lines.push(line) })
  const changes: (readonly number[])[] = []
  ownership.onChange(() => void changes.push(ownership.owned()))
  return { clock, ownership, changes, lines }
}

test('a worker has what the group hands it, and keeps it while it is no member', async () => {
  const group = new Group()
  const { clock, ownership, changes, lines } = joined(group)
  await clock.advance(1)
  expect(ownership.owned()).toEqual([])
  group.members[0]!.assigned([0, 2])
  group.members[0]!.assigned([0, 2])
  group.reachable = false
  group.members[0]!.lost('the session timed out')
  await clock.advance(60_000)
  expect([ownership.owned(), group.left, changes]).toEqual([[0, 2], 1, [[0, 2]]])
  expect(lines.filter((line) => line.includes('no member'))).toHaveLength(1)
  expect(ownership.failing).toBe('unreachable')
  group.reachable = true
  await clock.advance(5_000)
  // What the membership before says now means nothing.
  group.members[0]!.assigned([1])
  expect([group.members.length, ownership.owned()]).toEqual([2, [0, 2]])
  group.members[1]!.assigned([2])
  expect([changes, ownership.failing]).toEqual([[[0, 2], [2]], null])
  await ownership.close()
  expect(group.left).toBe(2)
})

test('a join without an answer does not keep it from closing, and is left when the answer comes', async () => {
  const group = new Group()
  const answer = Promise.withResolvers<void>()
  const join = async (name: string, member: GroupMember) => {
    await answer.promise
    return group.join(name, member)
  }
  const { clock, ownership } = joined({ join })
  const closing = ownership.close()
  await clock.advance(5_000)
  await closing
  answer.resolve()
  await clock.advance(1)
  expect(group.left).toBe(1)
})
