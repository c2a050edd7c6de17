/** Errors of the database: a part of the table in `errors.ts`. */

export const DATABASE_ERRORS = {
  database_unavailable: {
    status: 503,
    summary: 'The database is not available',
    remedy:
      'Check that the database is running and DATABASE_URL is correct. No delivery is lost: Svix sends it again.',
  },
  database_denied: {
    status: 503,
    summary: 'The database user lacks a privilege',
    remedy:
      'Grant the user usage on the schema and select, insert, update and delete on its tables. To create a schema it needs `grant create on database`; an existing schema needs no such grant.',
  },
  database_timeout: {
    status: 503,
    summary: 'The database did not answer in time',
    remedy: 'Nothing is lost: Svix sends the event again. Check for locks, slow disks or an exhausted pool.',
  },
  connections_busy: {
    status: 503,
    summary: 'No connection to the database became free within 10 seconds',
    remedy:
      'All connections that `maxConnections` allows were in use. Check for slow queries, and for transactions on `sync.database` that wait for a second connection. Raise `maxConnections` if the database has room.',
  },
  database_read_only: {
    status: 503,
    summary: 'The database is read-only: it is a standby, a former primary, or out of space',
    remedy:
      'Nothing is lost: Svix sends the event again. After a failover, check that DATABASE_URL points to the primary; clerk-sync replaces its connections itself.',
  },
  database_disk_full: {
    status: 503,
    summary: 'The database’s disk is full',
    remedy:
      'Free space or enlarge the disk; `drop table` and `truncate` free it at once, `delete` does not. No delivery is lost: Svix sends it again.',
  },
  database_preparing: {
    status: 503,
    summary: 'The database is not ready yet',
    remedy:
      'The server has just started, or is waiting for another process to migrate. Wait: it becomes ready by itself. Its log says what it is waiting for.',
  },
  database_outdated: {
    status: 503,
    summary: 'The database lacks tables or columns that this version needs',
    remedy: 'Run `clerk-sync migrate`.',
  },
  database_unreleased: {
    status: 503,
    summary: 'The tables were created by a version from before the first release',
    remedy:
      'These tables cannot be upgraded. Drop the schema (`drop schema clerk cascade`), or choose another one with the option `schema`; then run `clerk-sync migrate` and `clerk-sync backfill`.',
  },
  database_ahead: {
    status: 503,
    summary: 'A newer version of clerk-sync migrated the database, and this version cannot use it',
    remedy:
      'Upgrade clerk-sync on this machine to the version that ran the migration; docs/upgrading.md lists the versions. Svix sends deliveries that are refused until then again.',
  },
} as const
