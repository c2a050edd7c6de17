/** A handler, or what was asked of one, cannot work. Part of the table in `errors.ts`. */

export const HANDLER_ERRORS = {
  handler_invalid: {
    status: 500,
    summary: 'A handler has an option that clerk-sync cannot use',
    remedy:
      'A name has 1 to 100 letters, digits, "_", "-" or "."; give one with `{ name: "…" }` where the function has none. Numbers must be above 0.',
  },
  handler_event_unknown: {
    status: 500,
    summary: 'Clerk sends no event of this type, so the handler would never run',
    remedy:
      'Use a type that Clerk sends: `EVENT_TYPES` of clerk-sync lists them. `user.*` means all types of a kind, `*` every event.',
  },
  handler_duplicate: {
    status: 500,
    summary: 'Two handlers have the same name',
    remedy: 'Runs are remembered under the handler’s name. Give each one of its own.',
  },
  handler_late: {
    status: 500,
    summary: 'The handler was registered too late',
    remedy: 'Call `sync.on` before the first event is received and before `sync.work()`.',
  },
  handler_unknown: {
    status: 404,
    summary: 'There is no handler with this name',
    remedy:
      'See `clerk-sync handlers list`. Handlers are registered in clerk-sync.config.ts or with `sync.on`.',
  },
  handler_timeout: {
    status: 500,
    summary: 'The handler took longer than it may',
    remedy: 'Pass its `signal` to what it waits for, make it faster, or raise `timeoutSeconds`.',
  },
  handler_lost: {
    status: 500,
    summary: 'The process that ran the handler ended, or was silent for too long',
    remedy: 'Look for crashes and out-of-memory kills, and for code that blocks the event loop.',
  },
  secrets_forgotten: {
    status: 500,
    summary: 'The event’s code or link was forgotten after its handlers had ended',
    remedy:
      'Discard the run: a message without its code helps nobody. To run the handler anyway set `acceptsForgottenSecrets`, and look at `secretsForgotten`.',
  },
  body_gone: {
    status: 500,
    summary: 'The event’s body is no longer kept',
    remedy:
      'Retention has forgotten it (`retention.eventBodies`). Replay the message from Clerk Dashboard → Webhooks, or discard the run.',
  },
  transaction_over: {
    status: 500,
    summary: 'The handler’s transaction is over',
    remedy: 'Await everything that a handler does before it returns; `tx` ends with it.',
  },
  transaction_not_yours: {
    status: 500,
    summary: 'A handler does not end its transaction itself',
    remedy:
      'Return to commit, throw to roll back. A transaction begun inside it is a savepoint, and may be ended.',
  },
  transaction_unavailable: {
    status: 500,
    summary: 'The handler has no transaction',
    remedy: 'It was registered with `transactional: false`.',
  },
} as const
