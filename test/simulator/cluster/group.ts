import type { Ownership } from '../../../log/ownership.ts'

/** Hands out partitions to its members, as a consumer group does; who does not hear of it believes what was. */
export class Group {
  readonly #members = new Map<string, Member>()

  /** Where a member learns what it owns. */
  join(name: string): Ownership {
    const member = new Member()
    this.#members.set(name, member)
    return member
  }

  leave(name: string): void {
    this.#members.delete(name)
  }

  /** Gives each partition to the member that `of` says; those for whom `hears` is false are not told. */
  assign(partitions: number, of: (partition: number) => string, hears: (name: string) => boolean): void {
    const all = Array.from({ length: partitions }, (_, partition) => partition)
    for (const [name, member] of this.#members)
      if (hears(name)) member.tell(all.filter((partition) => of(partition) === name))
  }
}

class Member implements Ownership {
  #owned: readonly number[] = []
  readonly #listeners = new Set<() => void>()

  owned = () => this.#owned

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn)
    return () => void this.#listeners.delete(fn)
  }

  tell(owned: readonly number[]): void {
    this.#owned = owned
    for (const fn of this.#listeners) fn()
  }
}
