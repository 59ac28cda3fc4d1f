import type { MessagePort, Worker } from 'node:worker_threads'
import type { Channel } from '../../schemas/ports/channel.ts'

/** One end of the channel between a thread and the one that started it. */
export function portChannel(port: MessagePort | Worker): Channel {
  return {
    post: (message, transfer = []) => port.postMessage(message, transfer as ArrayBuffer[]),
    receive: (fn) => void port.on('message', fn),
  }
}
