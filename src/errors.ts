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
    summary: 'The svix-id header is not a valid message id',
    remedy:
      'An id is 1 to 128 letters, digits, "_" or "-". Check whether a proxy rewrites the svix-id header.',
  },
  timestamp_malformed: {
    status: 400,
    summary: 'The svix-timestamp header is not a Unix time in seconds',
    remedy: 'Check whether a proxy rewrites or duplicates the svix-timestamp header.',
  },
  timestamp_too_old: {
    status: 400,
    summary: 'The signature is valid, but its timestamp is too old',
    remedy:
      'Synchronise this machine’s clock (NTP). If you replayed a recorded request, replay the stored event instead: `clerk-sync events replay`.',
  },
  timestamp_too_new: {
    status: 400,
    summary: 'The signature is valid, but its timestamp is in the future',
    remedy: 'Synchronise this machine’s clock (NTP).',
  },
  signature_mismatch: {
    status: 400,
    summary: 'The signature does not match any configured signing secret',
    remedy: `The secret belongs to another endpoint or instance, or something changed the body before verification. ${SIGNING_SECRET_PLACE}`,
  },
  secret_of_other_instance: {
    status: 400,
    summary: 'The signature is right, but its secret must not sign for the Clerk instance of the event',
    remedy:
      'If the endpoint is of another instance, such as development, delete it in Clerk or let it point to its own app. If the secret is bound to the wrong instance, correct CLERK_WEBHOOK_SIGNING_SECRET (`ins_…:whsec_…`) or the option `signingSecret`; Svix sends again what was refused. “Send Example” in Clerk’s dashboard sends an invented instance: use `clerk-sync trigger`.',
  },
  erasure_unsupported: {
    status: 400,
    summary: 'Only users can be erased',
    remedy:
      'Give the id of a user, which starts with user_. To remove an organization, delete it in Clerk: its members are erased one by one.',
  },
  method_not_allowed: {
    status: 405,
    summary: 'The webhook route accepts only POST',
    remedy: 'Send a POST request. To send a signed test event run `clerk-sync trigger`.',
  },
  body_empty: {
    status: 400,
    summary: 'The request has no body',
    remedy: 'Check that no middleware reads the body before clerk-sync does.',
  },
  body_already_parsed: {
    status: 400,
    summary: 'The body was read or parsed before verification, so its original bytes are lost',
    remedy:
      'Register the webhook route before body parsers such as express.json(), and pass the untouched request or its raw bytes.',
  },
  body_incomplete: {
    status: 400,
    summary: 'The connection closed before the whole body arrived',
    remedy:
      'Nothing is lost: Svix sends the event again. If it happens often, check the proxy in front of the app.',
  },
  body_timeout: {
    status: 408,
    summary: 'The body did not arrive within 10 seconds',
    remedy:
      'Nothing is lost: Svix sends the event again. If it happens often, check the proxy in front of the app.',
  },
  body_too_large: {
    status: 413,
    summary: 'The body is larger than the limit',
    remedy:
      'Clerk’s events are far smaller than the default limit of 2 MiB. Raise `maxBodyBytes` if yours are larger.',
  },
  body_not_utf8: {
    status: 400,
    summary: 'The body is not valid UTF-8',
    remedy: 'Clerk sends UTF-8. Check whether a proxy re-encodes the body.',
  },
  body_encoded: {
    status: 415,
    summary: 'The body has a Content-Encoding',
    remedy: 'Svix sends webhooks uncompressed. Turn off request compression in the proxy.',
  },

  // The engine cannot take a delivery now; Svix will send it again.
  ...DATABASE_ERRORS,
  overloaded: {
    status: 503,
    summary: 'The queue of events that wait for the database is full',
    remedy:
      'Nothing is lost: Svix sends the event again. Check the load of the database, or raise `maxQueuedBytes`.',
  },
  bodies_crowded: {
    status: 503,
    summary: 'Too many requests were still sending their bodies, so this one was dropped',
    remedy:
      'Nothing is lost: Svix sends the event again. If it happens often, the route is being flooded: limit requests at the proxy or firewall.',
  },
  shutting_down: {
    status: 503,
    summary: 'The server is shutting down',
    remedy: 'Nothing is lost: Svix sends the event again.',
  },
  not_configured: {
    status: 503,
    summary: 'clerk-sync has no usable configuration',
    remedy: 'Read the app’s log: it names the missing setting. Nothing is lost: Svix sends the event again.',
  },
  internal_error: {
    status: 500,
    summary: 'clerk-sync failed unexpectedly',
    remedy: 'Nothing is lost: Svix sends the event again. Please report the log entry.',
  },

  // Handlers.
  ...HANDLER_ERRORS,

  id_invalid: {
    status: 400,
    summary: 'This is not a valid id',
    remedy: 'Pass the id as text, for example user_… from the session. Ids have 1 to 400 characters.',
  },

  // Not found.
  event_not_found: {
    status: 404,
    summary: 'There is no event with this id',
    remedy: 'An event’s id is its svix-id, msg_…; `clerk-sync events list` shows them.',
  },

  // The drain route.
  cron_secret_missing: {
    status: 401,
    summary: 'The drain route is closed because CRON_SECRET is not set',
    remedy:
      'Set CRON_SECRET to a random text of 16 characters or more. Vercel sends it with each cron request.',
  },
  cron_secret_wrong: {
    status: 401,
    summary: 'The request does not send the right CRON_SECRET',
    remedy: 'Configure the cron job to send the header `Authorization: Bearer $CRON_SECRET`.',
  },

  // Clerk's Backend API.
  api_key_missing: {
    status: 500,
    summary: 'The secret key for Clerk’s Backend API is not set',
    remedy:
      'Set CLERK_SECRET_KEY or the option `secretKey`. Copy it from Clerk Dashboard → API keys; it starts with sk_.',
  },
  api_key_refused: {
    status: 500,
    summary: 'Clerk’s Backend API rejected the secret key',
    remedy:
      'Check CLERK_SECRET_KEY: it may belong to another instance, be revoked, or have been truncated while copying.',
  },
  api_unavailable: {
    status: 503,
    summary: 'Clerk’s Backend API is unavailable',
    remedy: 'Try again later; https://status.clerk.com lists outages. Completed work is kept.',
  },
  api_throttled: {
    status: 503,
    summary: 'Clerk’s Backend API kept answering that the rate limit is exceeded',
    remedy: 'Another program uses up the rate limit of this instance. Try again when it has finished.',
  },
  api_feature_off: {
    status: 503,
    summary: 'This resource belongs to a feature that is turned off in Clerk',
    remedy:
      'No row is deleted because of it. Turn the feature on in Clerk’s dashboard, or remove the resource from the option `resources`.',
  },
  api_refused: {
    status: 500,
    summary: 'Clerk’s Backend API rejected a request from clerk-sync',
    remedy:
      'If CLERK_API_URL is set, check that it is the address of the API. Otherwise please report this with the code above.',
  },

  api_wrong_instance: {
    status: 500,
    summary: 'The secret key belongs to a Clerk instance whose events are not applied here',
    remedy: 'Set CLERK_SECRET_KEY and CLERK_INSTANCE_ID to values of the same instance.',
  },
  list_shrunken: {
    status: 500,
    summary: 'Clerk’s list lacks so many of the rows here that deleting them looks wrong',
    remedy:
      'Nothing was deleted. Check that CLERK_SECRET_KEY belongs to the right instance. If that many really were deleted in Clerk, allow it with `--max-deletions` or the option `maxDeletions`.',
  },

  // Jobs.
  job_running: {
    status: 409,
    summary: 'Another process is already running this job',
    remedy:
      'Wait for it to finish, or stop that process. If it was killed, its lease expires after ten seconds.',
  },
  job_lost: {
    status: 409,
    summary: 'Another process has taken this job over',
    remedy:
      'This process did not renew its lease for more than ten seconds. The other process continues the job.',
  },

  wait_timed_out: {
    status: 504,
    summary: 'Timed out waiting for the change',
    remedy: 'The event may be late or lost: check `clerk-sync events list`, or run `clerk-sync reconcile`.',
  },
  run_busy: {
    status: 409,
    summary: 'This handler run is in progress',
    remedy: 'Wait for it to finish, then try again.',
  },
  job_over: {
    status: 409,
    summary: 'The job’s state does not allow this action',
    remedy: 'Reload the page: the job has ended or was restarted in the meantime.',
  },
  run_not_found: {
    status: 404,
    summary: 'There is no such handler run',
    remedy: 'A run is identified by its event and its handler; the event’s page lists them.',
  },
  resource_not_found: {
    status: 404,
    summary: 'There is no such row',
    remedy: 'Check the id and the table. A resource that was never synced has no row.',
  },
  resource_not_kept: {
    status: 500,
    summary: 'This table is not synced',
    remedy: 'Add it to the option `resources`, then run `clerk-sync backfill` to import its existing data.',
  },
  repair_refused: {
    status: 500,
    summary: 'The database rejected the repaired row',
    remedy: 'Remove or change the constraint or trigger that the message names, then try again.',
  },
  job_not_found: {
    status: 404,
    summary: 'There is no such job',
    remedy: 'Check the id against the list of jobs.',
  },

  ...DASHBOARD_ERRORS,

  // The configuration is wrong: refuse to start.
  secret_missing: {
    status: 500,
    summary: 'The signing secret is not set',
    remedy: `Set CLERK_WEBHOOK_SIGNING_SECRET or the option \`signingSecret\`. ${SIGNING_SECRET_PLACE}`,
  },
  secret_empty: {
    status: 500,
    summary: 'The signing secret is empty',
    remedy: SIGNING_SECRET_PLACE,
  },
  secret_is_api_key: {
    status: 500,
    summary: 'This is a Clerk API key, not a webhook signing secret',
    remedy: `Keys that start with sk_ or pk_ belong in CLERK_SECRET_KEY or the publishable key. ${SIGNING_SECRET_PLACE}`,
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
    summary: 'An option has an invalid value',
    remedy: 'Correct the option or environment variable named above.',
  },
  peer_missing: {
    status: 503,
    summary: 'A required package is not installed',
    remedy: 'Install the package named above.',
  },
  config_not_found: {
    status: 500,
    summary: 'The configuration file does not exist',
    remedy: 'Correct the path after `--config` or in CLERK_SYNC_CONFIG.',
  },
  config_unloadable: {
    status: 500,
    summary: 'The configuration file cannot be loaded',
    remedy: 'Fix what the message names. Running the file with `node` shows whether it loads.',
  },
  config_invalid: {
    status: 500,
    summary: 'The configuration file does not export options',
    remedy: 'Export the options: `export default defineConfig({ … })`. Keep only one configuration file.',
  },
  embedded_unavailable: {
    status: 500,
    summary: 'The embedded database is not installed',
    remedy: 'Set DATABASE_URL to a Postgres, or run `npm install @electric-sql/pglite`.',
  },
  embedded_missing: {
    status: 500,
    summary: 'There is no embedded database here',
    remedy:
      'Run `clerk-sync start` here first, change to the folder where it ran, or set DATABASE_URL to your Postgres.',
  },
  embedded_locked: {
    status: 500,
    summary: 'Another process is using this embedded database',
    remedy: 'Stop that process, choose another folder, or set DATABASE_URL to a Postgres.',
  },
  port_taken: {
    status: 500,
    summary: 'Another process is listening on this port',
    remedy: 'Stop that process, or choose another port with PORT or `--port`.',
  },
  migration_failed: {
    status: 500,
    summary: 'A database migration failed',
    remedy:
      'Fix the cause and run `clerk-sync migrate` again: it continues with the failed step, whose changes were rolled back.',
  },
} as const satisfies Record<string, ErrorEntry>

/** The stable identity of an error. Branch on this, never on the message. */
export type ErrorCode = keyof typeof ERRORS

export interface ClerkSyncErrorOptions extends ErrorOptions {
  /** What to do in this case, if it is more specific than the code’s remedy. */
  readonly remedy?: string | undefined
  readonly mismatchCause?: string | undefined
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
  /** The diagnosed cause, e.g. `body_reserialised` of a `signature_mismatch`; undefined if there is none. */
  readonly mismatchCause: string | undefined

  /** @param detail what makes this case specific; must not contain secrets or payloads */
  constructor(code: ErrorCode, detail?: string, options: ClerkSyncErrorOptions = {}) {
    const { summary, status, remedy } = ERRORS[code]
    super(detail === undefined ? `${summary}.` : `${summary}: ${detail}.`, options)
    this.code = code
    this.status = status
    this.remedy = options.remedy ?? remedy
    this.mismatchCause = options.mismatchCause
  }
}
