/** Why the dashboard refuses a request: a part of the table in `errors.ts`. */

export const DASHBOARD_ERRORS = {
  request_invalid: {
    status: 400,
    summary: 'The request is not one that this route understands',
    remedy: 'Reload the page. If you call the interface yourself, compare with its types.',
  },
  request_forged: {
    status: 403,
    summary: 'The request does not come from the dashboard’s own pages',
    remedy: 'Open the dashboard by one of its own addresses, and reload the page.',
  },
  host_unknown: {
    status: 403,
    summary: 'The dashboard is not known by this name',
    remedy: 'Open it as localhost, or name the host in `allowedHosts`.',
  },
  dashboard_closed: {
    status: 403,
    summary: 'The dashboard is closed, because it would be open to everyone',
    remedy:
      'Set CLERK_SYNC_DASHBOARD_TOKEN, or give `token` or `authorize` to createDashboardHandler. For use on this machine only, tell the handler the address of the socket: `handler(request, { remoteAddress })`.',
  },
  sign_in_required: {
    status: 401,
    summary: 'Nobody is signed in',
    remedy: 'Sign in.',
  },
  token_wrong: {
    status: 401,
    summary: 'This is not the dashboard’s token',
    remedy: 'The server has it in CLERK_SYNC_DASHBOARD_TOKEN.',
  },
  too_many_attempts: {
    status: 429,
    summary: 'There were too many attempts to sign in',
    remedy: 'Wait a minute, then try again.',
  },
  role_insufficient: {
    status: 403,
    summary: 'Your role does not allow this',
    remedy: 'Ask somebody with a higher role, or have yours changed.',
  },
  feature_unavailable: {
    status: 501,
    summary: 'This server cannot do that',
    remedy: 'The message says what is missing.',
  },
  route_unknown: {
    status: 404,
    summary: 'There is no such page or route',
    remedy: 'Check the address.',
  },
} as const
