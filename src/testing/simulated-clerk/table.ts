/** The resources of one kind: those that exist, and the ids of those that were deleted. */

import type { Random } from '../random.ts'

/** So many random picks are tried before all resources are looked at, to stay quick with many of them. */
const QUICK_PICKS = 8

export class Table<Resource extends { id: string }> {
  readonly live = new Map<string, Resource>()
  readonly deleted = new Set<string>()
  readonly #ownersOf: (resource: Resource) => string[]
  /** By owner's id. */
  readonly #owned = new Map<string, Set<string>>()
  readonly #ids: string[] = []
  readonly #places = new Map<string, number>()

  /** @param ownersOf the ids of a resource's parents; they never change */
  constructor(ownersOf: (resource: Resource) => string[] = () => []) {
    this.#ownersOf = ownersOf
  }

  put(resource: Resource): Resource {
    if (!this.live.has(resource.id)) this.#index(resource)
    this.live.set(resource.id, resource)
    return resource
  }

  delete(resource: Resource): void {
    this.live.delete(resource.id)
    this.deleted.add(resource.id)
    for (const owner of this.#ownersOf(resource)) this.#owned.get(owner)?.delete(resource.id)
    const place = this.#places.get(resource.id) as number
    const last = this.#ids.pop() as string
    this.#places.delete(resource.id)
    if (last === resource.id) return
    this.#ids[place] = last
    this.#places.set(last, place)
  }

  /** Deletes what belongs to an owner, and returns it as it was. */
  deleteOwnedBy(ownerId: string): Resource[] {
    const owned = this.ownedBy(ownerId)
    for (const resource of owned) this.delete(resource)
    return owned
  }

  ownedBy(ownerId: string): Resource[] {
    return [...(this.#owned.get(ownerId) ?? [])].map((id) => this.live.get(id) as Resource)
  }

  /** Any resource that suits, if there is one. */
  pick(random: Random, suits: (resource: Resource) => boolean = () => true): Resource | undefined {
    if (this.#ids.length === 0) return undefined
    for (let tries = 0; tries < QUICK_PICKS; tries++) {
      const picked = this.live.get(random.pick(this.#ids)) as Resource
      if (suits(picked)) return picked
    }
    return [...this.live.values()].find(suits)
  }

  #index(resource: Resource): void {
    this.#places.set(resource.id, this.#ids.push(resource.id) - 1)
    for (const owner of this.#ownersOf(resource)) {
      const owned = this.#owned.get(owner) ?? new Set()
      this.#owned.set(owner, owned.add(resource.id))
    }
  }
}
