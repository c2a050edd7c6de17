/** The errors of a database that cannot do what it is asked; the others are in `errors.ts`. */

export const DATABASE_ERRORS = {
  database_unavailable: {
    status: 503,
    summary: 'The database is not available',
    remedy:
      'Check that the database runs and DATABASE_URL is right. No delivery is lost: Svix sends it again.',
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
    remedy: 'Nothing is lost: Svix sends the event again. Look for locks, slow disks or an exhausted pool.',
  },
  connections_busy: {
    status: 503,
    summary: 'No connection to the database became free within 10 seconds',
    remedy:
      'All that maxConnections allows were in use. Look for slow queries and for transactions of `sync.database` that wait for another connection; raise maxConnections if the database has room.',
  },
  database_read_only: {
    status: 503,
    summary: 'The database only reads: it is a standby, a former primary, or out of space',
    remedy:
      'Nothing is lost: Svix sends the event again. After a failover, check that DATABASE_URL leads to the primary; connections are replaced by themselves.',
  },
  database_disk_full: {
    status: 503,
    summary: 'The disk of the database is full',
    remedy:
      'Free space or enlarge the disk; `drop table` and `truncate` free it at once, `delete` does not. No delivery is lost: Svix sends it again.',
  },
  database_preparing: {
    status: 503,
    summary: 'The database is being prepared',
    remedy:
      'The server has just started, or waits for the migrations of another process. It is ready by itself afterwards; its log says what it waits for.',
  },
  database_outdated: {
    status: 503,
    summary: 'The database lacks tables or columns that this version needs',
    remedy: 'Run `clerk-sync migrate`.',
  },
  database_unreleased: {
    status: 503,
    summary: 'The tables were made by a version from before the first release',
    remedy:
      'They cannot be upgraded. Drop the schema (`drop schema clerk cascade`), or choose another with `schema`; then run `clerk-sync migrate` and `clerk-sync backfill`.',
  },
  database_ahead: {
    status: 503,
    summary: 'The database was migrated by a newer version of clerk-sync, and no longer works with this one',
    remedy:
      'Upgrade clerk-sync on this machine to the version that ran the migration; docs/upgrading.md says which. Deliveries that are refused meanwhile come again.',
  },
} as const
