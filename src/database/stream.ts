/** The socket under a connection of `pg`, which its types do not show. */

import type { Socket } from 'node:net'
import type { ClientBase } from 'pg'

/** A stream that somebody else made may not know everything that a socket does. */
export function streamOf(client: ClientBase): Partial<Socket> {
  return (client as unknown as { connection: { stream: Partial<Socket> } }).connection.stream
}
