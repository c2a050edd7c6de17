/**
 * The problems that the command line finds outside of clerk-sync itself, in one table: with a route, a database, a clock, a
 * configuration, the traffic. The errors of clerk-sync itself are in `errors.ts`.
 */

import { type Problem, ROUTE_PROBLEMS } from './route-problems.ts'

export const PROBLEMS = {
  // The configuration.
  secret_old_name: {
    level: 'warning',
    summary: 'The signing secret is in CLERK_WEBHOOK_SECRET, which Clerk’s own libraries do not read',
    remedy: 'Rename the variable to CLERK_WEBHOOK_SIGNING_SECRET.',
  },
  secret_odd: {
    level: 'warning',
    summary: 'The signing secret works, but has an unusual form',
    remedy: 'Copy it again from Clerk Dashboard → Webhooks → your endpoint → Signing Secret.',
  },
  secret_elsewhere: {
    level: 'warning',
    summary: 'Another signing secret is set under another name or in another file',
    remedy: 'Delete the outdated secret, so that nobody deploys or rotates the wrong one.',
  },
  option_twice: {
    level: 'warning',
    summary:
      'An option is set twice. The command line uses the first source; an app that passes the file’s options uses the file',
    remedy: 'Remove one of the two; `clerk-sync config` shows where each value comes from.',
  },

  // The database, more exactly than `database_unavailable`.
  database_host_unknown: {
    level: 'problem',
    summary: 'The database’s host name does not exist',
    remedy: 'Correct the host in DATABASE_URL. Names of a private network resolve only inside it.',
  },
  database_refused: {
    level: 'problem',
    summary: 'Nothing is listening at the database’s address',
    remedy: 'Start the database, or correct the host and port in DATABASE_URL.',
  },
  database_unreachable: {
    level: 'problem',
    summary: 'The database cannot be reached from here',
    remedy:
      'Allow this machine in the firewall. Some providers’ direct addresses are IPv6 only: use the address of their pooler.',
  },
  database_login_failed: {
    level: 'problem',
    summary: 'The database rejected the user or the password',
    remedy: 'Correct them in DATABASE_URL. Special characters in a password must be percent-encoded.',
  },
  database_absent: {
    level: 'problem',
    summary: 'The server has no database with this name',
    remedy: 'Create it, or correct the name at the end of DATABASE_URL.',
  },
  database_tls_required: {
    level: 'problem',
    summary: 'The connection fails because of TLS',
    remedy: 'Add `?sslmode=require` to DATABASE_URL, or remove it if the server does not offer TLS.',
  },
  database_full: {
    level: 'problem',
    summary: 'The database has no free connection',
    remedy: 'Close unused connections, raise max_connections, or connect through a pooler.',
  },
  database_certificate_missing: {
    level: 'problem',
    summary: 'A certificate file named in DATABASE_URL does not exist',
    remedy:
      'Correct the path of sslrootcert, sslcert or sslkey in DATABASE_URL, or remove the parameter to use the certificates that Node trusts.',
  },

  database_far: {
    level: 'warning',
    summary: 'The database is far away',
    remedy:
      'Run the app and the database in the same region. Nothing is lost until then: deliveries and the dashboard are only slower.',
  },
  maintenance_overdue: {
    level: 'warning',
    summary: 'Maintenance does not run, so that tables only grow',
    remedy:
      'Run `clerk-sync maintain` now, and once a day by cron. `clerk-sync start` and a drain route do it by themselves.',
  },
  replica_unreachable: {
    level: 'problem',
    summary: 'The replica does not answer, so that lists and charts fail',
    remedy: 'Correct CLERK_SYNC_REPLICA_URL, or remove it: everything is then read from the primary.',
  },
  replica_is_primary: {
    level: 'warning',
    summary: 'The address of the replica leads to a primary',
    remedy: 'Set CLERK_SYNC_REPLICA_URL to a standby, or remove it.',
  },
  replica_behind: {
    level: 'warning',
    summary: 'The replica is far behind, so that lists and charts are old',
    remedy: 'Look at the replication of the server; long queries on a standby can hold it up.',
  },
  database_certificate_untrusted: {
    level: 'problem',
    summary: 'The database’s certificate is not trusted',
    remedy:
      'Download the provider’s CA certificate and set its path in DATABASE_URL: `sslmode=verify-full&sslrootcert=/path/to/ca.pem`. The host must match the certificate.',
  },

  // Time.
  clock_skewed: {
    level: 'problem',
    summary: 'This machine’s clock is wrong, and signatures are valid only for minutes',
    remedy: 'Synchronise the clock (NTP). Containers take the clock of their host.',
  },

  // Clerk.
  event_types_missing: {
    level: 'warning',
    summary: 'The webhook endpoint does not send every event type that the tables need',
    remedy: 'Select them in Clerk Dashboard → Webhooks → your endpoint, then run `clerk-sync backfill`.',
  },
  endpoint_missing: {
    level: 'warning',
    summary: 'The Clerk instance has no webhook endpoint for this route',
    remedy:
      'Create one in Clerk Dashboard → Webhooks with the address of your route. Development and production instances have separate endpoints.',
  },
  endpoint_disabled: {
    level: 'problem',
    summary: 'The webhook endpoint is disabled, so Svix sends nothing to it',
    remedy:
      'Fix the route, then enable the endpoint in Clerk Dashboard → Webhooks. `clerk-sync reconcile` brings the rows up to date.',
  },
  endpoint_unread: {
    level: 'unclear',
    summary:
      'Svix does not tell which event types the endpoint sends; no event that arrived suggests that one is missing',
    remedy:
      'Check the list in Clerk Dashboard → Webhooks → your endpoint; `clerk-sync doctor --portal` prints a link to it.',
  },
  deliveries_stopped: {
    level: 'problem',
    summary: 'Clerk has newer records than the last event that arrived',
    remedy:
      'Deliveries fail or are not sent. Test the route with `clerk-sync doctor --url`. Svix retries a failed delivery for 28 hours; run `clerk-sync reconcile` for older changes.',
  },
  drift: {
    level: 'warning',
    summary: 'Rows differed from Clerk when they were last compared',
    remedy:
      '`clerk-sync reconcile --dry-run` lists them with the probable cause; `clerk-sync reconcile --full` repairs them.',
  },

  // The project.
  edge_runtime: {
    level: 'problem',
    summary: 'The route runs on the edge runtime, which cannot open TCP connections to a database',
    remedy: "Delete `export const runtime = 'edge'` from the route; Node is the default.",
  },
  middleware_protects: {
    level: 'warning',
    summary: 'The middleware in this project blocks webhooks',
    remedy:
      'Use a bare clerkMiddleware() and check the session in each page, layout or route that needs one.',
  },
  middleware_unclear: {
    level: 'unclear',
    summary: 'The source of the middleware does not show whether it lets webhooks through',
    remedy: 'Test the running app: `clerk-sync doctor --url`.',
  },
  route_file_missing: {
    level: 'warning',
    summary: 'No file of this Next.js app uses clerk-sync',
    remedy: "Write app/api/webhooks/clerk/route.ts: export { POST } from 'clerk-sync/next'.",
  },

  // The traffic.
  no_events: {
    level: 'warning',
    summary: 'No event has been received yet',
    remedy:
      'Create an endpoint in Clerk Dashboard → Webhooks with the address of your route and the events to send; `clerk-sync doctor --url` tests the address.',
  },
  no_recent_events: {
    level: 'warning',
    summary: 'No event has been received for a while',
    remedy:
      'Check Clerk Dashboard → Webhooks: Svix disables an endpoint after five days of failed deliveries.',
  },
  events_failed: {
    level: 'problem',
    summary: 'The database rejected some events',
    remedy:
      'List them with `clerk-sync events list --outcome failed`, fix the cause, then run `clerk-sync events replay --outcome failed`.',
  },
  events_parked: {
    level: 'warning',
    summary: 'Some events could not be applied and are parked',
    remedy: 'List them and their reasons with `clerk-sync events list --outcome parked`.',
  },
  events_of_other_instance: {
    level: 'warning',
    summary: 'Events from another Clerk instance arrive',
    remedy:
      'Either an endpoint of another instance points here, or CLERK_INSTANCE_ID is wrong. `Send Example` in Clerk’s dashboard also uses a made-up instance id.',
  },
  instances_crossed: {
    level: 'problem',
    summary: 'Events arrive that are signed with the secret of another Clerk instance; none was applied',
    remedy:
      'If the endpoint is of another instance, delete it in Clerk or let it point to its own app. If the secret is bound to the wrong instance, correct CLERK_WEBHOOK_SIGNING_SECRET or `signingSecret`; Svix sends again what was refused. `clerk-sync explain secret_of_other_instance` tells more.',
  },
  instances_mixed: {
    level: 'warning',
    summary: 'Events of several Clerk instances were applied in this schema',
    remedy:
      'If that is not meant, give each instance a schema of its own (CLERK_SYNC_SCHEMA). If it is, bind each signing secret to its instance: docs/instances.md.',
  },
  delivered_twice: {
    level: 'warning',
    summary: 'Most events arrive more than once; each was applied once',
    remedy:
      'If two endpoints in Clerk’s dashboard point to this app, delete one. Otherwise the route answers too late: Svix gives up after 15 seconds and sends again.',
  },
  bodies_conflict: {
    level: 'warning',
    summary: 'Some messages arrived again with a different body; only the first was applied',
    remedy: 'Svix never changes a body, so somebody else may have the signing secret: rotate it.',
  },
  deliveries_refused: {
    level: 'warning',
    summary: 'Requests to the webhook route were refused',
    remedy: '`clerk-sync explain CODE` explains each code; the log has the details.',
  },
  alert_hook_failing: {
    level: 'problem',
    summary: 'The alert hook rejected its last message',
    remedy:
      'Correct `alerts` or CLERK_SYNC_ALERTS_URL; clerk-sync sends the message again within two minutes.',
  },
  runs_waiting: {
    level: 'problem',
    summary: 'Handler runs are due, but no worker is running',
    remedy:
      'Start a worker: `sync.work()` in a server, `clerk-sync start`, or a cron job that calls the drain route. `clerk-sync init` can write each of them.',
  },
  handler_without_runs: {
    level: 'problem',
    summary: 'A configured handler has not run for any of its events',
    remedy:
      'The app that receives the events does not know the handler: create the sync of its route from this configuration, as `clerk-sync init` does. If the handler is newer than the events, run it for them with `clerk-sync handlers run`.',
  },
  runs_dead: {
    level: 'problem',
    summary: 'Handler runs exhausted their retries',
    remedy:
      'Read their errors with `clerk-sync failures list`, fix the cause, then retry or discard the runs.',
  },
  handled_twice: {
    level: 'warning',
    summary: 'Some runs started again after their process was lost, so their work may have been done twice',
    remedy:
      'Write through `tx`, or pass `idempotencyKey` to the services that the handler calls, so that a second run does no harm.',
  },
  handler_slow: {
    level: 'warning',
    summary: 'A handler is slow: deliveries do not wait for it, but its runs may pile up',
    remedy: 'Split its work, raise its `concurrency`, or let it pass the work to a queue.',
  },

  ...ROUTE_PROBLEMS,

  // The tunnel of `dev`.
  tunnel_cli_missing: {
    level: 'problem',
    summary: 'The Clerk CLI is not installed',
    remedy: 'Run `npm install --global clerk`, or use `--tunnel ngrok`.',
  },
  tunnel_package_missing: {
    level: 'problem',
    summary: 'The package @ngrok/ngrok is not installed in this project',
    remedy: 'Run `npm install --save-dev @ngrok/ngrok`, or use `--tunnel clerk`.',
  },
  tunnel_token_missing: {
    level: 'problem',
    summary: 'NGROK_AUTHTOKEN is not set, and ngrok requires it',
    remedy: 'Copy it from https://dashboard.ngrok.com/get-started/your-authtoken into .env.local.',
  },
  tunnel_failed: {
    level: 'problem',
    summary: 'The tunnel could not be opened',
    remedy: 'Read the tunnel’s message. If the command is unknown, update the tunnel’s program.',
  },

  // The checks themselves.
  check_failed: {
    level: 'problem',
    summary: 'A check could not run',
    remedy: 'This is a bug in clerk-sync: please report it.',
  },
  check_timed_out: {
    level: 'problem',
    summary: 'A check timed out',
    remedy:
      'Run `clerk-sync doctor` again. If it happens again, a service that the check calls does not answer.',
  },
} as const satisfies Record<string, Problem>

export type ProblemCode = keyof typeof PROBLEMS

/** What an error or a problem tells people. */
export interface Explained {
  readonly code: string
  readonly message: string
  readonly remedy: string
}

/** A problem that ends what was asked for. */
export class ProblemError extends Error implements Explained {
  override readonly name = 'ProblemError'
  readonly code: ProblemCode
  readonly remedy: string

  constructor(code: ProblemCode, detail?: string) {
    const { message, remedy } = describeProblem(code, detail)
    super(message)
    this.code = code
    this.remedy = remedy
  }
}

/** A problem as people see it; the detail makes the case specific. */
export function describeProblem(code: ProblemCode, detail?: string, remedy?: string): Explained {
  const entry = PROBLEMS[code]
  const message = detail === undefined ? `${entry.summary}.` : `${entry.summary}: ${detail}.`
  return { code, message, remedy: remedy ?? entry.remedy }
}
