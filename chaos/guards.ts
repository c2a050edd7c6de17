/** Guards, broken on purpose: the checker must find each. A checker that finds nothing proves nothing. */

import { createServer, type Server } from 'node:http'
import { arrayBuffer } from 'node:stream/consumers'
import type { Random } from './random.ts'
import type { Site } from './site.ts'

/** Once everything is over: what a lost guard would have left behind. */
const DAMAGE = {
  /** An event that was acknowledged is gone. */
  ledger: 'delete from clerk.events where id = (select max(id) from clerk.events)',
  /** An older state won over a newer one. */
  row: `update clerk.users set first_name = 'v0' where id = (select max(id) from clerk.users)`,
  /** A deletion came, and its user lives. */
  tombstone: `update clerk.users set deleted_at = null
    where id = (select max(id) from clerk.users where deleted_at is not null)`,
  /** A handler's transaction was committed twice. */
  effect: `insert into chaos.effects (event_id, user_id, at)
    select event_id, user_id, at from chaos.effects order by nr limit 1`,
  /** A handler's transaction was rolled back, and its run noted as done. */
  'lost-effect': 'delete from chaos.effects where nr = (select max(nr) from chaos.effects)',
  /** A later event of a user was handled before an earlier one. */
  order: `update chaos.effects set nr = -nr
    where event_id in (select event_id from chaos.effects where user_id =
      (select user_id from chaos.effects group by user_id order by count(*) desc limit 1))`,
  /** A run that nobody takes. */
  run: `update clerk.handler_runs set status = 'pending'
    where (event_id, handler) = (select event_id, handler from clerk.handler_runs limit 1)`,
} as const

/** `acknowledge`: a front answers 200 for some deliveries and passes them to nobody. */
export const GUARDS = ['acknowledge', ...Object.keys(DAMAGE)] as readonly (
  | keyof typeof DAMAGE
  | 'acknowledge'
)[]
export type Guard = (typeof GUARDS)[number]

const FABRICATED = 0.05

export async function damage(site: Site, guard: Guard): Promise<void> {
  if (guard !== 'acknowledge') await site.postgres.query(DAMAGE[guard])
}

/** A reverse proxy before one receiver, that acknowledges before anything is committed. */
export class FaultyFront {
  readonly #server: Server

  private constructor(target: string, random: Random) {
    this.#server = createServer(async (request, response) => {
      if (random.chance(FABRICATED)) {
        response.end('{"ok":true}')
        return
      }
      try {
        const headers = Object.entries(request.headers).filter(([name]) =>
          /^(svix-|content-type$)/.test(name),
        )
        const body = await arrayBuffer(request)
        const answer = await fetch(target, { method: 'POST', headers: headers as [string, string][], body })
        response.writeHead(answer.status).end(await answer.text())
      } catch {
        response.destroy()
      }
    })
  }

  static async before(target: string, random: Random): Promise<FaultyFront> {
    const front = new FaultyFront(target, random)
    await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve))
    return front
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}/`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
