/** When the secrets of events are forgotten: once no handler may still want them. */

import { qualify } from './identifier.ts'

/** A condition for an `event` that had secrets and has lost them. */
export const SECRETS_FORGOTTEN = 'event.redacted and event.secret_body is null'

/** @param which a condition for the `event`s that are meant */
export function forgetSecretsStatement(schema: string, which: string): string {
  return `
    update ${qualify(schema, 'events')} as event set secret_body = null
    where ${which} and not exists (
      select from ${qualify(schema, 'handler_runs')} as run
      where run.event_id = event.id and run.status in ('pending', 'retrying', 'running')
    )`
}
