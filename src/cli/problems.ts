/**
 * What the command line finds wrong outside of clerk-sync itself, in one table: with a route, a database, a clock, a
 * configuration, the traffic. What clerk-sync refuses by itself is in `errors.ts`.
 */

import type { Failure } from './failure.ts'

interface Entry {
  /** A problem makes `doctor` exit with 3; a warning does not. Unclear is what a check cannot know. */
  readonly level: 'problem' | 'warning' | 'unclear'
  /** Without a full stop: a detail may follow. */
  readonly summary: string
  readonly remedy: string
}

const PUBLIC_ROUTE =
  'Use a bare clerkMiddleware() in proxy.ts or middleware.ts, and check the session in each page, layout or route that needs one.'

export const PROBLEMS = {
  // The configuration.
  secret_old_name: {
    level: 'warning',
    summary: 'The signing secret is in CLERK_WEBHOOK_SECRET, which Clerk’s own libraries do not read',
    remedy: 'Rename the variable to CLERK_WEBHOOK_SIGNING_SECRET.',
  },
  secret_odd: {
    level: 'warning',
    summary: 'The signing secret works, but looks odd',
    remedy: 'Copy it again from Clerk Dashboard → Webhooks → your endpoint → Signing Secret.',
  },
  secret_elsewhere: {
    level: 'warning',
    summary: 'Another signing secret is set under another name or in another file',
    remedy: 'Delete what is out of date, so that nobody deploys or rotates the wrong one.',
  },
  option_twice: {
    level: 'warning',
    summary:
      'An option is set twice: here the first source counts, in an app that passes on the file’s options the file',
    remedy: 'Keep one of the two; `clerk-sync config` shows where each value is from.',
  },

  // The database, more exactly than `database_unavailable`.
  database_host_unknown: {
    level: 'problem',
    summary: 'There is no host of the database’s name',
    remedy: 'Correct the host in DATABASE_URL. A name inside a private network is known only there.',
  },
  database_refused: {
    level: 'problem',
    summary: 'Nothing listens where the database should',
    remedy: 'Start the database, or correct host and port in DATABASE_URL.',
  },
  database_unreachable: {
    level: 'problem',
    summary: 'There is no way to the database from here',
    remedy:
      'Let this machine through the firewall. Some providers’ direct addresses are IPv6 only: use the address of their pooler.',
  },
  database_login_failed: {
    level: 'problem',
    summary: 'The database refuses the user or the password',
    remedy: 'Correct them in DATABASE_URL; special characters in a password must be percent-encoded.',
  },
  database_absent: {
    level: 'problem',
    summary: 'The server has no database of this name',
    remedy: 'Create it, or correct the name at the end of DATABASE_URL.',
  },
  database_tls_required: {
    level: 'problem',
    summary: 'The connection fails because of TLS',
    remedy: 'Add `?sslmode=require` to DATABASE_URL, or drop it if the server has no TLS.',
  },
  database_full: {
    level: 'problem',
    summary: 'The database has no connection left',
    remedy: 'Close what holds connections, raise max_connections, or connect through a pooler.',
  },
  database_certificate_missing: {
    level: 'problem',
    summary: 'A certificate file that the address of the database names does not exist',
    remedy:
      'Correct the path of sslrootcert, sslcert or sslkey in DATABASE_URL, or remove the parameter to use the certificates that Node trusts.',
  },

  database_far: {
    level: 'warning',
    summary: 'The database is far away',
    remedy:
      'Run the app in the region of the database, or the database in the region of the app. Nothing is lost meanwhile: deliveries and the dashboard are only slower.',
  },
  database_certificate_untrusted: {
    level: 'problem',
    summary: 'The certificate of the database is not trusted',
    remedy:
      'Download the authority’s certificate from the provider and name it in DATABASE_URL: `sslmode=verify-full&sslrootcert=/path/to/ca.pem`. The host must be the one that the certificate is for.',
  },

  // Time.
  clock_skewed: {
    level: 'problem',
    summary: 'This machine’s clock is wrong, and signatures are only good for minutes',
    remedy: 'Synchronise the clock (NTP). Containers take the clock of their host.',
  },

  // Clerk.
  event_types_missing: {
    level: 'warning',
    summary: 'The webhook endpoint does not send every event type that the tables need',
    remedy: 'Tick them in Clerk Dashboard → Webhooks → your endpoint, and run clerk-sync backfill.',
  },
  endpoint_missing: {
    level: 'warning',
    summary: 'The Clerk instance has no webhook endpoint for this route',
    remedy:
      'Create one in Clerk Dashboard → Webhooks with the address of your route. Each instance, development and production, has endpoints of its own.',
  },
  endpoint_disabled: {
    level: 'problem',
    summary: 'The webhook endpoint is disabled, and nothing is sent to it',
    remedy:
      'Make the route answer, then enable the endpoint in Clerk Dashboard → Webhooks. `clerk-sync reconcile` brings the rows up to date.',
  },
  endpoint_unread: {
    level: 'unclear',
    summary:
      'Svix does not say which event types the endpoint sends, and what arrived gives no sign of a missing one',
    remedy:
      'Compare the list in Clerk Dashboard → Webhooks → your endpoint; `clerk-sync doctor --portal` prints a link.',
  },
  deliveries_stopped: {
    level: 'problem',
    summary: 'Clerk has newer records than the last event that arrived',
    remedy:
      'Deliveries fail or are not sent. `clerk-sync doctor --url` tries the route. Svix sends a failed delivery again for 28 hours; what is older, `clerk-sync reconcile` brings.',
  },
  drift: {
    level: 'warning',
    summary: 'Rows differed from Clerk when they were last compared',
    remedy:
      '`clerk-sync reconcile --full` repairs them; `clerk-sync reconcile --dry-run` lists them with the probable cause.',
  },

  // The project.
  edge_runtime: {
    level: 'problem',
    summary: 'The route runs on the edge runtime, which has no TCP for a database',
    remedy: "Delete `export const runtime = 'edge'` from the route; Node is the default.",
  },
  middleware_protects: {
    level: 'warning',
    summary: 'The middleware in this project keeps webhooks out',
    remedy:
      'Use a bare clerkMiddleware() and check the session in each page, layout or route that needs one.',
  },
  middleware_unclear: {
    level: 'unclear',
    summary: 'The source of the middleware does not show whether webhooks get through',
    remedy: 'Ask the running app: `clerk-sync doctor --url`.',
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
      'Create an endpoint in Clerk Dashboard → Webhooks with the address of your route and the events to send; `clerk-sync doctor --url` tries the address.',
  },
  no_recent_events: {
    level: 'warning',
    summary: 'Nothing has been received for a while',
    remedy:
      'Look at Clerk Dashboard → Webhooks: Svix disables an endpoint whose deliveries have failed for five days.',
  },
  events_failed: {
    level: 'problem',
    summary: 'The database refused to apply some events',
    remedy:
      '`clerk-sync events list --outcome failed` shows them; fix the cause and run `clerk-sync events replay --outcome failed`.',
  },
  events_parked: {
    level: 'warning',
    summary: 'Some events could not be used and are parked',
    remedy: '`clerk-sync events list --outcome parked` shows them with their reasons.',
  },
  events_of_other_instance: {
    level: 'warning',
    summary: 'Events of another Clerk instance arrive',
    remedy:
      'Either an endpoint of another instance points here, or CLERK_INSTANCE_ID names another instance. `Send Example` in Clerk’s dashboard also sends a made-up instance.',
  },
  delivered_twice: {
    level: 'warning',
    summary: 'Most events arrive more than once; each was applied once',
    remedy:
      'Either two endpoints in Clerk’s dashboard point to this app: delete one. Or answers come too late: Svix gives up after 15 seconds and sends again.',
  },
  bodies_conflict: {
    level: 'warning',
    summary: 'Some messages arrived again with a different body; the first one counts',
    remedy: 'Svix never changes a body. Rotate the signing secret: somebody else may have it.',
  },
  deliveries_refused: {
    level: 'warning',
    summary: 'Requests to the webhook route were refused',
    remedy: '`clerk-sync explain CODE` explains each code; the log has the details.',
  },
  alert_hook_failing: {
    level: 'problem',
    summary: 'The alert hook did not take its last message',
    remedy: 'Correct `alerts` or CLERK_SYNC_ALERTS_URL; the message is sent again within two minutes.',
  },
  runs_waiting: {
    level: 'problem',
    summary: 'Handler runs are due and no worker runs them',
    remedy:
      'Run them with sync.work() in a server, with `clerk-sync start`, or with a cron job that calls the drain route; `clerk-sync init` writes either.',
  },
  handler_without_runs: {
    level: 'problem',
    summary: 'A handler of the configuration has no run for any of its events',
    remedy:
      'The app that receives the events does not know the handler: its route must use a sync made from this configuration, as `clerk-sync init` writes it. If the handler is newer than the events, `clerk-sync handlers run` runs it for them.',
  },
  runs_dead: {
    level: 'problem',
    summary: 'Handler runs exhausted their retries',
    remedy: 'Read their errors, fix the cause, and retry the runs or discard them.',
  },
  handled_twice: {
    level: 'warning',
    summary: 'Some runs started again after their process was lost, so their work may have been done twice',
    remedy:
      'Write through `tx`, or pass `idempotencyKey` to the services that the handler calls: then a second run does no harm.',
  },
  handler_slow: {
    level: 'warning',
    summary: 'A handler is slow; deliveries do not wait for it, but its events pile up',
    remedy: 'Split its work, raise its concurrency, or make it hand the work to a queue.',
  },

  // The route, seen from outside.
  server_unreachable: {
    level: 'problem',
    summary: 'The server cannot be reached',
    remedy: 'Start your app, or clerk-sync start, and check the address.',
  },
  tls_failed: {
    level: 'problem',
    summary: 'The certificate of the server is not valid, so Svix does not deliver',
    remedy: 'Renew the certificate, or correct the host in the address.',
  },
  url_insecure: {
    level: 'warning',
    summary: 'The address is plain http: anyone on the way can read what Clerk sends',
    remedy: 'Use the https address, also in Clerk’s dashboard.',
  },
  redirected: {
    level: 'problem',
    summary: 'The route redirects. Svix follows no redirect and counts it as a failure',
    remedy: 'Use the final address, also in Clerk’s dashboard: look at https, www and the slash at the end.',
  },
  route_protected: {
    level: 'problem',
    summary: 'Clerk’s middleware protects this route, and a webhook is not signed in',
    remedy: PUBLIC_ROUTE,
  },
  redirected_to_language: {
    level: 'problem',
    summary: 'The route redirects to a path with a language, and Svix follows no redirect',
    remedy:
      'Exempt the webhook from the middleware for languages: leave /api out of `config.matcher`, or return before it is called.',
  },
  login_wall: {
    level: 'problem',
    summary: 'Something in front of the route requires a login',
    remedy:
      'Find what answers in place of the route, in the app or in front of it, and exempt the path there.',
  },
  vercel_protection: {
    level: 'problem',
    summary: 'Vercel’s deployment protection answers in place of the route',
    remedy:
      'Use the production domain, or append ?x-vercel-protection-bypass=SECRET to the endpoint URL in Clerk’s dashboard; the secret is in Vercel → Settings → Deployment Protection → Protection Bypass for Automation.',
  },
  preview_guarded: {
    level: 'problem',
    summary: 'A guard of preview deployments answers in place of the route',
    remedy:
      'Exempt the webhook route in the guard. If the guard takes its secret from the query, append it to the endpoint URL in Clerk’s dashboard, as in ?x-vercel-protection-bypass=SECRET.',
  },
  cloudflare_challenge: {
    level: 'problem',
    summary: 'Cloudflare answers with a challenge for browsers, which Svix cannot solve',
    remedy:
      'In Cloudflare → Security → WAF add a custom rule that skips challenges for the path of the route.',
  },
  cloudflare_access: {
    level: 'problem',
    summary: 'Cloudflare Access requires a login',
    remedy:
      'In Cloudflare Zero Trust → Access add an application for the path of the route with a Bypass policy.',
  },
  password_wall: {
    level: 'problem',
    summary: 'The route is behind HTTP basic authentication',
    remedy: 'Exempt the route from the password, in the proxy or the middleware that asks for it.',
  },
  host_not_allowed: {
    level: 'problem',
    summary: 'The development server refuses the host name of the tunnel',
    remedy:
      'Add the host to `server.allowedHosts` in vite.config.ts (Nuxt: `vite.server.allowedHosts`), and restart it.',
  },
  function_verifies_jwt: {
    level: 'problem',
    summary: 'Supabase requires a JWT before it calls the function, and webhooks carry none',
    remedy:
      'Deploy the function with --no-verify-jwt, or set `verify_jwt = false` for it in supabase/config.toml. The signature protects the route.',
  },
  proxy_failed: {
    level: 'problem',
    summary: 'A proxy answers because the app behind it does not',
    remedy:
      'Start the app, and check the address and port that the proxy or tunnel forwards to. If the app runs, read its log: it may crash on the request.',
  },
  route_not_found: {
    level: 'problem',
    summary: 'There is no such route',
    remedy:
      'Check the path. In Next.js the file is app/api/webhooks/clerk/route.ts, or under src/app; a basePath belongs into the address.',
  },
  method_not_allowed_by_route: {
    level: 'problem',
    summary: 'The route does not answer POST',
    remedy: 'In Next.js, export a function named POST from the route.',
  },
  page_answered: {
    level: 'problem',
    summary: 'A page answers, not a webhook route; Svix takes it for success, and the event is lost',
    remedy: 'Use the address of the route itself: the path is wrong, or a catch-all page comes before it.',
  },
  route_failed: {
    level: 'problem',
    summary: 'The app failed. Svix would send the event again',
    remedy: 'Read the log of the app.',
  },
  route_slow: {
    level: 'problem',
    summary: 'The route takes too long: Svix gives up after 15 seconds and sends the event again',
    remedy:
      'Answer first and work afterwards: put slow work into a handler, which clerk-sync runs from a queue.',
  },
  delivery_refused: {
    level: 'problem',
    summary: 'The route refused the delivery',
    remedy: 'Read the log of the app. Is its signing secret the first one that is set here?',
  },
  unsigned_accepted: {
    level: 'problem',
    summary: 'The route accepts requests without a signature, so anyone can send it events',
    remedy: 'Verify the signature over the raw body before anything else, as clerk-sync does.',
  },
  forgery_accepted: {
    level: 'problem',
    summary: 'The route accepts a delivery with a wrong signature',
    remedy: 'Verify the signature over the raw body before anything else, as clerk-sync does.',
  },
  secret_differs: {
    level: 'problem',
    summary: 'The route verifies with another signing secret than the one that is set here',
    remedy:
      'Set the secret of the endpoint with this address in both places: Clerk Dashboard → Webhooks → your endpoint → Signing Secret.',
  },
  body_rewritten: {
    level: 'problem',
    summary:
      'The route accepts compact JSON, but not the same JSON indented: something parses the body first',
    remedy:
      'Register the webhook route before express.json() and other body parsers, and verify the raw bytes. A few of Clerk’s deliveries would be refused.',
  },

  // The tunnel of `dev`.
  tunnel_cli_missing: {
    level: 'problem',
    summary: 'Clerk’s command line is not installed',
    remedy: 'Run npm install --global clerk, or use --tunnel ngrok.',
  },
  tunnel_package_missing: {
    level: 'problem',
    summary: 'The package @ngrok/ngrok is not installed in this project',
    remedy: 'Run npm install --save-dev @ngrok/ngrok, or use --tunnel clerk.',
  },
  tunnel_token_missing: {
    level: 'problem',
    summary: 'ngrok needs a token, and NGROK_AUTHTOKEN is not set',
    remedy: 'Copy it from https://dashboard.ngrok.com/get-started/your-authtoken into .env.local.',
  },
  tunnel_failed: {
    level: 'problem',
    summary: 'The tunnel could not be opened',
    remedy: 'Read its message. An old version may lack the command: update it.',
  },

  // The checks themselves.
  check_failed: {
    level: 'problem',
    summary: 'A check could not run',
    remedy: 'This is a defect of clerk-sync: please report it.',
  },
  check_timed_out: {
    level: 'problem',
    summary: 'A check did not end in time',
    remedy: 'Run `clerk-sync doctor` again. If it happens again, a service that it asks hangs.',
  },
} as const satisfies Record<string, Entry>

export type ProblemCode = keyof typeof PROBLEMS

/** A problem as people see it; the detail makes the case specific. */
export function describeProblem(code: ProblemCode, detail?: string, remedy?: string): Failure {
  const entry = PROBLEMS[code]
  const message = detail === undefined ? `${entry.summary}.` : `${entry.summary}: ${detail}.`
  return { code, message, remedy: remedy ?? entry.remedy }
}
