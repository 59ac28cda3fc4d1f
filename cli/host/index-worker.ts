import { parentPort } from 'node:worker_threads'
import { bulkCells } from '../../lake/parquet/bulk-cells.ts'
import { Calls } from '../../schemas/calls.ts'
import { serveLoader } from '../../serving/index/loader-thread.ts'
import { nodeDisk } from './disk.ts'
import { portChannel } from './port-channel.ts'
import { eventLoopTurn } from './turn.ts'

serveLoader(
  new Calls(portChannel(parentPort!)),
  (path) => bulkCells(`${path}-loading`, nodeDisk()),
  eventLoopTurn,
)
