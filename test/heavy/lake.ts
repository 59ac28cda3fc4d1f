import { join } from 'node:path'
import { nodeClock } from '../../cli/host/clock.ts'
import { nodeDisk } from '../../cli/host/disk.ts'
import { nodeRandom } from '../../cli/host/random.ts'
import { openTable } from '../../lake/delta/table.ts'
import { decodeMessages } from '../../lake/parquet/messages.ts'
import { localStore } from '../../lake/store/local.ts'
import { host } from '../../schemas/datasets/host.ts'
import { messagesTable } from '../../schemas/definitions.ts'
import { type Message, messageAt } from '../../schemas/message.ts'

/** Every message of a lake's table, in the order of the log. */
export async function messagesOf(data: string): Promise<Message[]> {
  const store = await localStore(nodeDisk(), join(data, 'lake'), nodeRandom())
  const table = openTable(messagesTable(host.name), { store, clock: nodeClock(), random: nodeRandom() })
  const found: { partition: number; offset: number; index: number; message: Message }[] = []
  for (const file of (await table.snapshot())!.files.values()) {
    const { columns, partition, offset, index } = await decodeMessages(host, await table.readFile(file))
    for (let i = 0; i < columns.length; i++) {
      const message = messageAt(columns, i)
      found.push({ partition: partition[i]!, offset: offset[i]!, index: index[i]!, message })
    }
  }
  found.sort((a, b) => a.partition - b.partition || a.offset - b.offset || a.index - b.index)
  return found.map(({ message }) => message)
}
