/** Why the dashboard refuses a request: a part of the table in `errors.ts`. */

export const DASHBOARD_ERRORS = {
  request_invalid: {
    status: 400,
    summary: 'The request is invalid',
    remedy: 'Reload the page. If you call the API yourself, compare the request with its types.',
  },
  request_forged: {
    status: 403,
    summary: 'The request does not come from the dashboard’s own pages',
    remedy: 'Open the dashboard at one of its own addresses, and reload the page.',
  },
  host_unknown: {
    status: 403,
    summary: 'The dashboard does not accept this host name',
    remedy: 'Open it as localhost, or add the host to `allowedHosts`.',
  },
  dashboard_closed: {
    status: 403,
    summary: 'The dashboard is closed because no sign-in is configured',
    remedy:
      'Set CLERK_SYNC_DASHBOARD_TOKEN, or pass `token` or `authorize` to createDashboardHandler. For use on this machine only, pass the address of the socket to the handler: `handler(request, { remoteAddress })`.',
  },
  sign_in_required: {
    status: 401,
    summary: 'You are not signed in',
    remedy: 'Sign in.',
  },
  token_wrong: {
    status: 401,
    summary: 'The token is wrong',
    remedy: 'Use the value of CLERK_SYNC_DASHBOARD_TOKEN on the server.',
  },
  too_many_attempts: {
    status: 429,
    summary: 'Too many attempts to sign in',
    remedy: 'Wait a minute, then try again.',
  },
  role_insufficient: {
    status: 403,
    summary: 'Your role does not allow this',
    remedy: 'Ask an administrator to do it, or to change your role.',
  },
  feature_unavailable: {
    status: 501,
    summary: 'This server does not offer this feature',
    remedy: 'The message says what is missing.',
  },
  route_unknown: {
    status: 404,
    summary: 'There is no such page or route',
    remedy: 'Check the address.',
  },
} as const
