import type { Socket } from '../../schemas/ports/net.ts'
import type { SimNet } from '../sim/net.ts'
import { Flood, type FloodName } from './flood.ts'

/** What idle clients say before they fall silent: nothing, half a line, a hello. */
const FIRST_WORDS = [
  () => '',
  () => '{"service":',
  (n: number) => `{"hello":1,"agent":"idle-${n}"}\n`,
] as const

/** Clients that take up room: they come in numbers, say nothing and never close, or flood the collector. */
export class Crowd {
  readonly floods: Flood[] = []
  readonly #net: SimNet
  readonly #idle = new Set<Socket>()
  #came = 0

  constructor(net: SimNet) {
    this.#net = net
  }

  /** Clients that are still there. */
  get size(): number {
    return this.#idle.size + this.floods.filter(({ open }) => open).length
  }

  /** So many come, and fall silent; null when nobody listens. */
  async come(count: number): Promise<number | null> {
    for (let i = 0; i < count; i++) {
      const socket = await this.#net.connect('127.0.0.1', 7070).catch(() => null)
      if (socket === null) return null
      this.#came += 1
      this.#idle.add(socket)
      socket.handle({
        data: () => {},
        end: () => {},
        drain: () => {},
        close: () => void this.#idle.delete(socket),
      })
      socket.write(FIRST_WORDS[this.#came % FIRST_WORDS.length]!(this.#came))
    }
    return count
  }

  /** One comes who sends too much; false when nobody listens. */
  async flood(name: FloodName): Promise<boolean> {
    const socket = await this.#net.connect('127.0.0.1', 7070).catch(() => null)
    if (socket !== null) this.floods.push(new Flood(name, socket, `flood-${this.floods.length}`))
    return socket !== null
  }

  /** All go but a few that are silent, and those who do not read. */
  leave(staying: number): void {
    for (const socket of [...this.#idle].slice(staying)) socket.destroy()
    for (const flood of this.floods) if (flood.name !== 'unread') flood.leave()
  }
}
