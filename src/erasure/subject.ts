/** Who is to be erased, and the values that lead to them in texts and in what has no user's id. */

import { findEvent, RESOURCES } from '../clerk/catalogue.ts'
import { readContent } from '../clerk/event.ts'
import type { Payload } from '../clerk/payloads.ts'
import {
  addressesIn,
  identifiersIn,
  resourcesIn,
  together,
  usersIn,
  verifiedAddresses,
} from '../clerk/person.ts'
import type { Resource, Share } from '../clerk/resource.ts'

export interface Subject {
  readonly users: readonly string[]
  /** E-mail addresses and phone numbers that are known to be theirs, in lower case. */
  readonly addresses: readonly string[]
  /** The same as they stand in events. */
  readonly spellings: readonly string[]
  /** Whatever else belongs to them alone, in lower case. */
  readonly identifiers: readonly string[]
}

/** Shorter values stand in too many texts by chance. */
const MIN_IDENTIFIER_LENGTH = 5

/** Adds what a payload of the users' own says of them. */
export class SubjectBuilder {
  readonly #users: readonly string[]
  readonly #spellings = new Set<string>()
  readonly #identifiers = new Set<string>()

  constructor(users: readonly string[]) {
    this.#users = users
  }

  addUser(data: Payload): void {
    for (const address of verifiedAddresses(data)) this.#spellings.add(address).add(address.toLowerCase())
    this.addIdentifiers(identifiersIn(RESOURCES.get('users') as Resource, data))
  }

  addIdentifiers(values: readonly string[]): void {
    for (const value of values) {
      if (value.length >= MIN_IDENTIFIER_LENGTH) this.#identifiers.add(value.toLowerCase())
    }
  }

  build(): Subject {
    const identifiers = new Set([...this.#users.map((id) => id.toLowerCase()), ...this.#identifiers])
    const spellings = [...this.#spellings]
    const addresses = [...new Set(spellings.map((each) => each.toLowerCase()))]
    return { users: this.#users, addresses, spellings, identifiers: [...identifiers] }
  }
}

/** How much of a stored body is about them. What cannot be read is taken to be about them as a whole. */
export function shareOfBody(body: Uint8Array, subject: Subject): Share | null {
  const { event } = readContent(body)
  const found = event && findEvent(event.type)
  if (!event || !found) return 'all'
  return resourcesIn(found.resource, event.data as Payload)
    .map(({ resource, data }) => shareOf(resource, data, subject))
    .reduce<Share | null>(together, null)
}

function shareOf(resource: Resource, data: Payload, { users, addresses }: Subject): Share | null {
  const mentions = [
    ...usersIn(resource, data).filter(({ value }) => users.includes(value)),
    ...addressesIn(resource, data).filter(({ value }) => addresses.includes(value)),
  ]
  return mentions.reduce<Share | null>((all, { share }) => together(all, share), null)
}
