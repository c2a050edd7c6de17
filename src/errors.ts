/**
 * Every way clerk-sync can refuse or fail, in one table: a stable code, the HTTP status the webhook
 * route answers with, what happened, and what to do about it.
 *
 * No message ever contains a secret, a payload or a raw header: Svix stores the body of our answers and
 * shows it in Clerk's dashboard, and people paste error texts into public issues.
 */

import { DASHBOARD_ERRORS } from './dashboard-errors.ts'
import { DATABASE_ERRORS } from './database-errors.ts'
import { HANDLER_ERRORS } from './handler-errors.ts'

interface ErrorEntry {
  /** The HTTP status of the webhook route's answer. Configuration errors use 500: they stop the start. */
  readonly status: number
  readonly summary: string
  readonly remedy: string
}

const SIGNING_SECRET_PLACE =
  'Copy it from Clerk Dashboard → Webhooks → your endpoint → Signing Secret; it starts with whsec_.'

export const ERRORS = {
  // The request cannot be a delivery from Svix.
  headers_missing: {
    status: 400,
    summary: 'The request lacks the headers that every Clerk webhook carries',
    remedy:
      'Deliveries come with svix-id, svix-timestamp and svix-signature. Check that no proxy strips them; to send a signed test event yourself run `clerk-sync trigger`.',
  },
  id_malformed: {
    status: 400,
    summary: 'The message id is not one that Svix makes',
    remedy: 'Ids have 1 to 128 letters, digits, "_" or "-". Check what rewrites the svix-id header.',
  },
  timestamp_malformed: {
    status: 400,
    summary: 'The timestamp header is not a number of seconds',
    remedy: 'Check what rewrites or duplicates the svix-timestamp header.',
  },
  timestamp_too_old: {
    status: 400,
    summary: 'The signature is right, but it was made too long ago',
    remedy:
      'Synchronise this machine’s clock (NTP). If you replayed a recorded request, replay the stored event instead: `clerk-sync events replay`.',
  },
  timestamp_too_new: {
    status: 400,
    summary: 'The signature is right, but its time lies in the future',
    remedy: 'Synchronise this machine’s clock (NTP).',
  },
  signature_mismatch: {
    status: 400,
    summary: 'No configured signing secret made this signature over these bytes',
    remedy: `Either the secret belongs to another endpoint or instance, or something changed the body before verification. ${SIGNING_SECRET_PLACE}`,
  },
  erasure_unsupported: {
    status: 400,
    summary: 'Only users can be erased',
    remedy:
      'Give the id of a user, which starts with user_. To remove an organization, delete it in Clerk: its members are erased one by one.',
  },
  method_not_allowed: {
    status: 405,
    summary: 'The webhook route only answers POST',
    remedy: 'Open the route with POST. To send a signed test event run `clerk-sync trigger`.',
  },
  body_empty: {
    status: 400,
    summary: 'The request has no body',
    remedy: 'Check that no middleware reads the body before clerk-sync does.',
  },
  body_already_parsed: {
    status: 400,
    summary: 'The body was read or parsed before verification, so its exact bytes are gone',
    remedy:
      'Register the webhook route before body parsers such as express.json(), and pass the untouched request or its raw bytes.',
  },
  body_incomplete: {
    status: 400,
    summary: 'The connection ended before the body did',
    remedy: 'Nothing is lost: Svix sends the event again. If it happens often, look at the proxy in front.',
  },
  body_timeout: {
    status: 408,
    summary: 'The body did not arrive within 10 seconds',
    remedy: 'Nothing is lost: Svix sends the event again. If it happens often, look at the proxy in front.',
  },
  body_too_large: {
    status: 413,
    summary: 'The body is larger than the limit',
    remedy:
      'Clerk’s events are far smaller than the default of 2 MiB; raise `maxBodyBytes` if yours are not.',
  },
  body_not_utf8: {
    status: 400,
    summary: 'The body is not valid UTF-8',
    remedy: 'Clerk sends UTF-8. Check what re-encodes the body on the way.',
  },
  body_encoded: {
    status: 415,
    summary: 'The body has a Content-Encoding',
    remedy: 'Svix sends webhooks uncompressed. Check which proxy compresses requests.',
  },

  // The engine cannot take a delivery now; Svix will send it again.
  ...DATABASE_ERRORS,
  overloaded: {
    status: 503,
    summary: 'More events are waiting for the database than may be held in memory',
    remedy:
      'Nothing is lost: Svix sends the event again. Look at the database’s load, or raise `maxQueuedBytes`.',
  },
  bodies_crowded: {
    status: 503,
    summary: 'Too many bodies were begun and not finished, and this one made room for others',
    remedy:
      'Nothing is lost: Svix sends the event again. If it happens often, somebody floods the route: limit requests at the proxy or firewall.',
  },
  shutting_down: {
    status: 503,
    summary: 'The server is shutting down',
    remedy: 'Nothing is lost: Svix sends the event again.',
  },
  not_configured: {
    status: 503,
    summary: 'clerk-sync has no usable configuration',
    remedy: 'The log of the app says what is missing. Nothing is lost: Svix sends the event again.',
  },
  internal_error: {
    status: 500,
    summary: 'Something in clerk-sync failed unexpectedly',
    remedy: 'Nothing is lost: Svix sends the event again. Please report the log entry.',
  },

  // A handler, or what was asked of one, cannot work.
  ...HANDLER_ERRORS,

  id_invalid: {
    status: 400,
    summary: 'The id is not one that a row could have',
    remedy: 'Pass the id as text, for example user_… from the session. Ids have 1 to 400 characters.',
  },

  // What was asked for is not there.
  event_not_found: {
    status: 404,
    summary: 'There is no event with this id',
    remedy: 'An event’s id is its svix-id, msg_…; `clerk-sync events list` shows them.',
  },

  // The drain route.
  cron_secret_missing: {
    status: 401,
    summary: 'The drain route is closed, because no CRON_SECRET is set',
    remedy:
      'Set CRON_SECRET to a random text of 16 characters or more. Vercel sends it with every cron request.',
  },
  cron_secret_wrong: {
    status: 401,
    summary: 'The request does not carry CRON_SECRET',
    remedy: 'Let the cron job send the header `Authorization: Bearer $CRON_SECRET`.',
  },

  // Clerk's Backend API.
  api_key_missing: {
    status: 500,
    summary: 'There is no secret key for Clerk’s Backend API',
    remedy:
      'Set CLERK_SECRET_KEY or the option `secretKey`. Copy it from Clerk Dashboard → API keys; it starts with sk_.',
  },
  api_key_refused: {
    status: 500,
    summary: 'Clerk’s Backend API does not accept the secret key',
    remedy: 'Check CLERK_SECRET_KEY: it may be of another instance, revoked, or cut off while copying.',
  },
  api_unavailable: {
    status: 503,
    summary: 'Clerk’s Backend API did not answer as it should',
    remedy: 'Try again later; https://status.clerk.com tells of outages. What was done until then stays.',
  },
  api_throttled: {
    status: 503,
    summary: 'Clerk’s Backend API kept refusing requests as too many',
    remedy: 'Something else uses up the rate limit of this instance. Try again when that has ended.',
  },
  api_feature_off: {
    status: 503,
    summary: 'The feature that this belongs to is switched off in Clerk',
    remedy: 'Nothing is deleted for that. Switch the feature on in Clerk’s dashboard, or leave it out.',
  },
  api_refused: {
    status: 500,
    summary: 'Clerk’s Backend API refused a request of clerk-sync',
    remedy: 'Please report it with the code above. CLERK_API_URL must be the API’s address, if it is set.',
  },

  api_wrong_instance: {
    status: 500,
    summary: 'The secret key is of a Clerk instance whose events are not applied here',
    remedy: 'Make CLERK_SECRET_KEY and CLERK_INSTANCE_ID those of one instance.',
  },
  list_shrunken: {
    status: 500,
    summary: 'Clerk’s list lacks suspiciously many of the rows here',
    remedy:
      'Nothing was deleted. Check that CLERK_SECRET_KEY is of the right instance. If so many were really deleted in Clerk, allow it with `--max-deletions` or the option `maxDeletions`.',
  },

  // Jobs.
  job_running: {
    status: 409,
    summary: 'Another process is doing this already',
    remedy: 'Wait for it, or stop that process. If it was killed, its lease ends after ten seconds.',
  },
  job_lost: {
    status: 409,
    summary: 'Another process has taken this job over',
    remedy: 'This process was silent for longer than ten seconds. The other one goes on.',
  },

  wait_timed_out: {
    status: 504,
    summary: 'The tables did not show the change in time',
    remedy: 'The event may be late or lost: look at `clerk-sync events list`, or reconcile.',
  },
  run_busy: {
    status: 409,
    summary: 'This run is being tried right now',
    remedy: 'Wait for its end, then look again.',
  },
  job_over: {
    status: 409,
    summary: 'This job is not in a state for that',
    remedy: 'Reload the page: it has ended, or was started again, meanwhile.',
  },
  run_not_found: {
    status: 404,
    summary: 'There is no such run of a handler',
    remedy: 'A run is named by its event and its handler; the event’s page shows them.',
  },
  resource_not_found: {
    status: 404,
    summary: 'There is no such row',
    remedy: 'Check the id and the table; what was never synced is not there either.',
  },
  resource_not_kept: {
    status: 500,
    summary: 'This table is not kept in step with Clerk',
    remedy: 'Add it to the option `resources`, then run `clerk-sync backfill` for what came before.',
  },
  repair_refused: {
    status: 500,
    summary: 'The database refused to write what Clerk shows of this row',
    remedy: 'Remove the constraint or trigger that the message names, or change it, then try again.',
  },
  job_not_found: {
    status: 404,
    summary: 'There is no such job',
    remedy: 'The list of jobs shows those that there are.',
  },

  ...DASHBOARD_ERRORS,

  // The configuration is wrong: refuse to start.
  secret_missing: {
    status: 500,
    summary: 'There is no signing secret',
    remedy: `Set CLERK_WEBHOOK_SIGNING_SECRET or the option \`signingSecret\`. ${SIGNING_SECRET_PLACE}`,
  },
  secret_empty: {
    status: 500,
    summary: 'The signing secret holds no key',
    remedy: SIGNING_SECRET_PLACE,
  },
  secret_is_api_key: {
    status: 500,
    summary: 'This is a Clerk API key, not a webhook signing secret',
    remedy: `Keys that start with sk_ or pk_ belong into CLERK_SECRET_KEY or the publishable key. ${SIGNING_SECRET_PLACE}`,
  },
  secret_bad_prefix: {
    status: 500,
    summary: 'The signing secret has an unknown prefix',
    remedy: `The prefix is exactly whsec_, in lower case. ${SIGNING_SECRET_PLACE}`,
  },
  secret_quoted: {
    status: 500,
    summary: 'The signing secret is wrapped in quotes',
    remedy: 'Remove the quotes from the value.',
  },
  secret_bad_base64: {
    status: 500,
    summary: 'The signing secret is not base64 after its prefix',
    remedy: `It was probably cut short or changed while copying. ${SIGNING_SECRET_PLACE}`,
  },
  secret_too_short: {
    status: 500,
    summary: 'The signing secret is too short to be safe',
    remedy: `It needs at least 16 bytes; Clerk’s have 24. A placeholder such as whsec_test is not one. ${SIGNING_SECRET_PLACE}`,
  },
  secret_low_entropy: {
    status: 500,
    summary: 'The signing secret repeats one character: it is a placeholder',
    remedy: SIGNING_SECRET_PLACE,
  },
  option_invalid: {
    status: 500,
    summary: 'An option has a value that clerk-sync cannot use',
    remedy: 'Correct the option or environment variable named above.',
  },
  peer_missing: {
    status: 503,
    summary: 'A package that this needs is not installed',
    remedy: 'Install the package named above.',
  },
  config_not_found: {
    status: 500,
    summary: 'There is no such configuration file',
    remedy: 'Correct the path after `--config` or in CLERK_SYNC_CONFIG.',
  },
  config_unloadable: {
    status: 500,
    summary: 'The configuration file cannot be loaded',
    remedy: 'Correct it, and try it with `node clerk-sync.config.ts`.',
  },
  config_invalid: {
    status: 500,
    summary: 'The configuration file does not hold options',
    remedy: 'Let one clerk-sync.config.ts end in `export default defineConfig({ … })`.',
  },
  embedded_unavailable: {
    status: 500,
    summary: 'The embedded database is not installed',
    remedy: 'Set DATABASE_URL to a Postgres, or run `npm install @electric-sql/pglite`.',
  },
  embedded_missing: {
    status: 500,
    summary: 'There is no embedded database here',
    remedy: 'Run `clerk-sync start` here first, go to its folder, or set DATABASE_URL to your Postgres.',
  },
  embedded_locked: {
    status: 500,
    summary: 'Another process uses this embedded database',
    remedy: 'Stop that process, choose another folder, or set DATABASE_URL to a Postgres.',
  },
  port_taken: {
    status: 500,
    summary: 'Another process listens on this port',
    remedy: 'Stop that process, or choose another port with PORT or `--port`.',
  },
  migration_failed: {
    status: 500,
    summary: 'A database migration failed',
    remedy:
      'Read the cause, fix it and run `clerk-sync migrate` again: it goes on where it failed. What the failed step changed was rolled back.',
  },
} as const satisfies Record<string, ErrorEntry>

/** The stable identity of an error. Branch on this, never on the message. */
export type ErrorCode = keyof typeof ERRORS

export interface ClerkSyncErrorOptions extends ErrorOptions {
  /** What to do in this case, where more is known than for the code. */
  readonly remedy?: string | undefined
  readonly finding?: string | undefined
}

/**
 * The one error class of clerk-sync.
 *
 * @example
 * try {
 *   await sync.receive(body, headers)
 * } catch (error) {
 *   if (error instanceof ClerkSyncError && error.code === 'signature_mismatch') …
 * }
 */
export class ClerkSyncError extends Error {
  override readonly name = 'ClerkSyncError'
  /** Stable, e.g. `signature_mismatch`. */
  readonly code: ErrorCode
  /** The HTTP status that the webhook route answers with. */
  readonly status: number
  /** What to do about it, in a sentence or two. */
  readonly remedy: string
  /** What was found to be the reason, e.g. `body_reserialised` of a `signature_mismatch`; undefined if nothing was. */
  readonly finding: string | undefined

  /** @param detail what makes this case specific; must not contain secrets or payloads */
  constructor(code: ErrorCode, detail?: string, options: ClerkSyncErrorOptions = {}) {
    const { summary, status, remedy } = ERRORS[code]
    super(detail === undefined ? `${summary}.` : `${summary}: ${detail}.`, options)
    this.code = code
    this.status = status
    this.remedy = options.remedy ?? remedy
    this.finding = options.finding
  }
}
