/** A Clerk instance at work: users who come, change, sign in and go. Knows which rows its events must end in. */

import { randomUUID } from 'node:crypto'
import type { Random } from './random.ts'

export interface ChaosEvent {
  readonly id: string
  readonly type: string
  readonly userId: string
  /** When it happened. No two events of a run share a time. */
  readonly at: number
  readonly body: string
}

export interface ExpectedUser {
  readonly firstName: string
  readonly isDeleted: boolean
}

const MIN_USERS = 20
const MAX_USERS = 200

export class Traffic {
  readonly users = new Map<string, ExpectedUser>()
  /** The user of each session. */
  readonly sessions = new Map<string, string>()
  readonly #random: Random
  readonly #live: string[] = []
  readonly #createdAt = new Map<string, number>()
  /** Runs on one database must not share ids. */
  readonly #run = randomUUID().slice(0, 8)
  #made = 0
  #now = Date.now()

  constructor(random: Random) {
    this.#random = random
  }

  next(): ChaosEvent {
    this.#made++
    this.#now = Math.max(this.#now + 1, Date.now())
    if (this.#live.length < MIN_USERS) return this.#create()
    const dice = this.#random.next()
    if (dice < 0.1 && this.#live.length < MAX_USERS) return this.#create()
    if (dice < 0.15) return this.#delete()
    if (dice < 0.3) return this.#signIn()
    return this.#update(this.#random.pick(this.#live), 'user.updated')
  }

  #create(): ChaosEvent {
    const id = `user_chaos${this.#run}${this.#made}`
    this.#live.push(id)
    this.#createdAt.set(id, this.#now)
    return this.#update(id, 'user.created')
  }

  #update(id: string, type: string): ChaosEvent {
    const firstName = `v${this.#made}`
    this.users.set(id, { firstName, isDeleted: false })
    const times = { created_at: this.#createdAt.get(id), updated_at: this.#now }
    const sets = { email_addresses: [], phone_numbers: [], web3_wallets: [], external_accounts: [] }
    return this.#event(type, id, { id, object: 'user', first_name: firstName, ...sets, ...times })
  }

  #delete(): ChaosEvent {
    const [id] = this.#live.splice(Math.floor(this.#random.next() * this.#live.length), 1) as [string]
    this.users.set(id, { firstName: this.users.get(id)?.firstName ?? '', isDeleted: true })
    return this.#event('user.deleted', id, { id, object: 'user', deleted: true })
  }

  #signIn(): ChaosEvent {
    const userId = this.#random.pick(this.#live)
    const id = `sess_chaos${this.#run}${this.#made}`
    this.sessions.set(id, userId)
    const times = { created_at: this.#now, updated_at: this.#now, expire_at: this.#now + 6e8 }
    return this.#event('session.created', userId, {
      id,
      object: 'session',
      user_id: userId,
      status: 'active',
      ...times,
    })
  }

  #event(type: string, userId: string, data: object): ChaosEvent {
    const body = JSON.stringify({
      object: 'event',
      type,
      timestamp: this.#now,
      instance_id: 'ins_chaos',
      data,
    })
    return { id: `msg_chaos${this.#run}${this.#made}`, type, userId, at: this.#now, body }
  }
}
