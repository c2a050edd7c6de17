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
    summary: 'The database was migrated by a newer version of clerk-sync',
    remedy: 'Upgrade clerk-sync on this machine.',
  },
} as const
