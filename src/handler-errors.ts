/** Errors of handlers: a part of the table in `errors.ts`. */

export const HANDLER_ERRORS = {
  handler_invalid: {
    status: 500,
    summary: 'A handler has an invalid option',
    remedy:
      'A name has 1 to 100 letters, digits, "_", "-" or "."; pass `{ name: "…" }` if the function has no name. Numbers must be above 0.',
  },
  handler_event_unknown: {
    status: 500,
    summary: 'Clerk sends no event of this type, so the handler would never run',
    remedy:
      'Use a type that Clerk sends: `EVENT_TYPES` of clerk-sync lists them. `user.*` matches all events of a resource, `*` every event.',
  },
  handler_duplicate: {
    status: 500,
    summary: 'Two handlers have the same name',
    remedy: 'Runs are stored under the handler’s name. Give each handler its own name.',
  },
  handler_late: {
    status: 500,
    summary: 'The handler was registered after work had started',
    remedy: 'Call `sync.on` before the first event is received and before `sync.work()`.',
  },
  handler_unknown: {
    status: 404,
    summary: 'There is no handler with this name',
    remedy:
      '`clerk-sync handlers list` shows the names. Register handlers in clerk-sync.config.ts or with `sync.on`.',
  },
  handler_timeout: {
    status: 500,
    summary: 'The handler timed out',
    remedy:
      'Make it faster, or raise `timeoutSeconds`. Pass its `signal` to the calls it awaits, so that they stop.',
  },
  handler_lost: {
    status: 500,
    summary: 'The process that ran the handler died or stopped renewing its lease',
    remedy: 'Check for crashes, out-of-memory kills, and code that blocks the event loop.',
  },
  secrets_forgotten: {
    status: 500,
    summary: 'The code or link in the event was removed after its handlers had finished',
    remedy:
      'Discard the run: a message without its code is useless. To run the handler anyway, set `acceptsForgottenSecrets` and check `secretsForgotten` in the handler.',
  },
  body_gone: {
    status: 500,
    summary: 'The event’s body has been deleted',
    remedy:
      'Its retention has passed (`retention.eventBodies`). Replay the message from Clerk Dashboard → Webhooks, or discard the run.',
  },
  transaction_over: {
    status: 500,
    summary: 'The handler’s transaction has ended',
    remedy: 'Await all queries before the handler returns; `tx` ends when it returns.',
  },
  transaction_not_yours: {
    status: 500,
    summary: 'A handler must not end its own transaction',
    remedy:
      'Return to commit, throw to roll back. A nested transaction is a savepoint, which the handler may commit or roll back.',
  },
  transaction_unavailable: {
    status: 500,
    summary: 'The handler has no transaction',
    remedy: 'It was registered with `transactional: false`. Remove that option to use `tx`.',
  },
} as const
