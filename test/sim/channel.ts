import type { Channel } from '../../schemas/ports/channel.ts'

/** Both ends of a channel: messages arrive later, in order, as copies, as long as `alive` says so. */
export function channelPair(alive: () => boolean = () => true): [Channel, Channel] {
  const receivers: ((message: unknown) => void)[] = []
  const end = (own: number, other: number): Channel => ({
    post(message, transfer = []) {
      const copy = structuredClone(message, { transfer: [...transfer] })
      queueMicrotask(() => {
        if (alive()) receivers[other]!(copy)
      })
    },
    receive(fn) {
      receivers[own] = fn
    },
  })
  return [end(0, 1), end(1, 0)]
}
