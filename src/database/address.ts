/** Connection strings as providers print them: parameters that only libpq or Prisma know, in the words of `pg`. */

import type { PoolConfig } from 'pg'

/** Prisma's, about its own schema, engine and pool. */
const OF_PRISMA = [
  'schema',
  'pgbouncer',
  'connection_limit',
  'pool_timeout',
  'statement_cache_size',
  'socket_timeout',
]

/** The options for `pg` that a connection string means. Others' options win over what it says, as they do in `pg`. */
export function readAddress({ connectionString, ...rest }: PoolConfig): PoolConfig {
  if (connectionString === undefined || !URL.canParse(connectionString)) return { connectionString, ...rest }
  const url = new URL(connectionString)
  const { searchParams: parameters } = url
  const binding = parameters.get('channel_binding')
  if (parameters.get('sslrootcert') === 'system') trustSystemCertificates(parameters)
  for (const name of ['channel_binding', ...OF_PRISMA]) parameters.delete(name)
  const usesBinding = binding === 'require' || binding === 'prefer'
  return { connectionString: url.href, ...(usesBinding && { enableChannelBinding: true }), ...rest }
}

/** `pg` would look for a file named system. Node trusts the system's authorities by itself; libpq verifies the host then. */
function trustSystemCertificates(parameters: URLSearchParams): void {
  parameters.delete('sslrootcert')
  parameters.set('sslmode', 'verify-full')
}
