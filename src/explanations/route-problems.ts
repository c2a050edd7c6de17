/** The problems that `doctor` and `trigger` find with what answers at the route's address. */

export interface Problem {
  /** A problem makes `doctor` exit with 3; a warning does not. `unclear` means that the check cannot know. */
  readonly level: 'problem' | 'warning' | 'unclear'
  /** Without a full stop: a detail may follow. */
  readonly summary: string
  readonly remedy: string
}

const PUBLIC_ROUTE =
  'Use a bare clerkMiddleware() in proxy.ts or middleware.ts, and check the session in each page, layout or route that needs one.'

export const ROUTE_PROBLEMS = {
  server_unreachable: {
    level: 'problem',
    summary: 'The server cannot be reached',
    remedy: 'Start your app or `clerk-sync start`, and check the address.',
  },
  tls_failed: {
    level: 'problem',
    summary: 'The certificate of the server is not valid, so Svix does not deliver',
    remedy: 'Renew the certificate, or correct the host in the address.',
  },
  url_insecure: {
    level: 'warning',
    summary: 'The address is plain http: anyone on the network path can read what Clerk sends',
    remedy: 'Use the https address, also in Clerk’s dashboard.',
  },
  redirected: {
    level: 'problem',
    summary: 'The route redirects, and Svix counts a redirect as a failure',
    remedy: 'Use the final address, also in Clerk’s dashboard: check https, www and the trailing slash.',
  },
  route_protected: {
    level: 'problem',
    summary: 'Clerk’s middleware requires a signed-in user for this route, and a webhook has none',
    remedy: PUBLIC_ROUTE,
  },
  redirected_to_language: {
    level: 'problem',
    summary: 'The route redirects to a path with a language, and Svix does not follow redirects',
    remedy:
      'Exempt the webhook from the i18n middleware: leave /api out of `config.matcher`, or return before that middleware is called.',
  },
  login_wall: {
    level: 'problem',
    summary: 'Something in front of the route requires a login',
    remedy:
      'Find the login page’s owner, in the app or in front of it, and exempt the path of the route there.',
  },
  vercel_protection: {
    level: 'problem',
    summary: 'Vercel’s deployment protection answers instead of the route',
    remedy:
      'Use the production domain, or append ?x-vercel-protection-bypass=SECRET to the endpoint URL in Clerk’s dashboard; the secret is in Vercel → Settings → Deployment Protection → Protection Bypass for Automation.',
  },
  preview_guarded: {
    level: 'problem',
    summary: 'The protection of preview deployments answers instead of the route',
    remedy:
      'Exempt the webhook route from the protection. If it accepts a secret in the query, append the secret to the endpoint URL in Clerk’s dashboard, as in ?x-vercel-protection-bypass=SECRET.',
  },
  cloudflare_challenge: {
    level: 'problem',
    summary: 'Cloudflare answers with a browser challenge, which Svix cannot solve',
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
    remedy: 'Exempt the route in the proxy or middleware that asks for the password.',
  },
  host_not_allowed: {
    level: 'problem',
    summary: 'The development server rejects the tunnel’s host name',
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
    summary: 'A proxy answers that the app behind it is not available',
    remedy:
      'Start the app, and check the address and port that the proxy or tunnel forwards to. If the app is running, read its log: the request may crash it.',
  },
  route_not_found: {
    level: 'problem',
    summary: 'There is no such route',
    remedy:
      'Check the path. In Next.js the file is app/api/webhooks/clerk/route.ts, or under src/app; add a basePath to the address.',
  },
  method_not_allowed_by_route: {
    level: 'problem',
    summary: 'The route does not answer POST',
    remedy: 'In Next.js, export a function named POST from the route.',
  },
  page_answered: {
    level: 'problem',
    summary: 'A page answers instead of a webhook route: Svix counts it as success, and the event is lost',
    remedy:
      'Use the address of the route itself. Either the path is wrong, or a catch-all page matches first.',
  },
  route_failed: {
    level: 'problem',
    summary: 'The app answered with an error; Svix would retry the event',
    remedy: 'Read the log of the app.',
  },
  route_slow: {
    level: 'problem',
    summary: 'The route takes too long: Svix gives up after 15 seconds and sends the event again',
    remedy: 'Move slow work into a handler, which clerk-sync runs after the answer.',
  },
  delivery_refused: {
    level: 'problem',
    summary: 'The route refused the delivery',
    remedy: 'Read the app’s log, and check that its signing secret is the first one that is set here.',
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
    summary: 'The route uses a different signing secret from the one that is set here',
    remedy:
      'Copy the secret from Clerk Dashboard → Webhooks → your endpoint → Signing Secret, and set it in both places.',
  },
  body_rewritten: {
    level: 'problem',
    summary:
      'The route accepts compact JSON, but not the same JSON indented: something parses the body first',
    remedy:
      'Register the webhook route before express.json() and other body parsers, and verify the raw bytes. Otherwise the route will reject some of Clerk’s deliveries.',
  },
} as const satisfies Record<string, Problem>
