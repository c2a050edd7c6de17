/** Writes docs/schema.md from the catalogue. `npm run docs` runs it; a test fails when the page is out of step. */

import { writeFileSync } from 'node:fs'
import { CHILD_SETS, RESOURCES } from '../src/clerk/catalogue.ts'
import type { ChildSet, Column, Columns, Resource } from '../src/clerk/resource.ts'

const INTRODUCTION = `# The tables

One table per resource of Clerk’s, in the schema \`clerk\` unless you configured another name. This page is generated
from the resource catalogue (\`src/clerk/resources/\`).

The rows are Clerk’s: read them, join them, index them further, but do not write them. There are no foreign keys between
them, because a membership may arrive before its user. Rows of deleted resources stay, as tombstones. Every table
has a view without them: \`users_live\` for \`users\`.

\`\`\`sql
select u.id, u.primary_email_address, m.role
from clerk.users_live u
join clerk.organization_memberships_live m on m.user_id = u.id
where m.organization_id = 'org_…';
\`\`\`

In TypeScript, \`sync.database\` is a [Kysely](https://kysely.dev) with the types of every table; for a Kysely of your own
there is \`ClerkSchema<'clerk'>\`.

## Columns of every table

| column | type | meaning |
|---|---|---|
| \`id\` | text | Clerk’s id |
| \`raw\` | json | the resource’s JSON exactly as Clerk sent it, except for the secrets named below; null for a deleted resource that was never seen alive |
| \`clerk_created_at\` | timestamptz | Clerk’s \`created_at\` |
| \`clerk_updated_at\` | timestamptz | Clerk’s \`updated_at\`: which state is newer |
| \`observed_at\` | timestamptz | when Clerk showed this state: the time of the event (not in the tables of sets: see their resource’s row) |
| \`deleted_at\` | timestamptz | when it was deleted in Clerk; null while it exists |
| \`synced_at\` | timestamptz | when this row was last written |
| \`event_id\` | text | what wrote it: an event, \`events.id\`, or a backfill or reconcile, \`jobs.id\`; null for a single look at Clerk (not in the tables of sets) |
| \`instance_id\` | text | the Clerk instance it belongs to |
| \`erased_at\` | timestamptz | when it was [erased](privacy.md): only ids and times are left, and nothing fills it again (not in the tables of sets, whose rows are removed) |

Every other column is null when Clerk did not send the field, or sent something else than its type. Fields without a
column are in \`raw\`: \`raw->>'some_field'\`. U+0000 and lone surrogates, which Postgres cannot store in \`text\` and \`jsonb\`,
become U+FFFD in the columns; \`raw\` keeps them.

Not kept at rest, in columns, \`raw\` or the stored events: one-time codes and link tokens in e-mails and SMS messages,
ticket URLs of invitations, backup codes of phone numbers. Their places say \`[redacted]\`.
`

const LEDGER = `## events

The ledger: one row per message from Svix. Rows stay for ever, so that a replay months later is still recognized as a
duplicate. Bodies and changes are in \`event_bodies\` and \`event_changes\`, and are [forgotten](retention.md).

| column | type | meaning |
|---|---|---|
| \`id\` | text | the svix-id |
| \`type\` | text | e.g. \`user.created\`; null if the body was no event |
| \`resource\`, \`resource_id\` | text | the table and the id it is about |
| \`instance_id\` | text | the Clerk instance that sent it |
| \`occurred_at\` | timestamptz | when it happened, by Clerk’s clock |
| \`received_at\` | timestamptz | when it was stored, by the database’s clock |
| \`outcome\` | text | \`applied\`, \`stale\`, \`ignored\`, \`parked\` or \`failed\` |
| \`reason\` | text | why it was not applied |
| \`error\` | text | what the database said, for failed events |
| \`deliveries\` | integer | how often it was delivered; above 1 there were duplicates |
| \`last_delivered_at\` | timestamptz | the latest duplicate |
| \`body_conflict\` | boolean | a later delivery with this id had another body; the first one counts |
| \`body_sha256\` | bytea | the hash of the body; it stays when the body is forgotten |
| \`redacted\` | boolean | secrets were removed from the body |
| \`replayed_at\` | timestamptz | when it was last replayed |
| \`source\` | text | \`webhook\`; \`backfill\`, \`reconcile\` or \`existing\` for what no webhook told |
| \`secret_body\` | bytea | the body with its secrets, only until the handlers that want it have run |

## event_bodies, event_changes

Partitioned by time; see [retention.md](retention.md). To read a body with its event:
\`select … from clerk.events join clerk.event_bodies on event_id = id and filed_at in (received_at, 'infinity')\`.

| column | type | meaning |
|---|---|---|
| \`event_id\` | text | the event |
| \`filed_at\` | timestamptz | the event’s \`received_at\`; infinity if a run that is not finished has outlived the partition |
| \`body\` | bytea | the bytes as they were signed, or without secrets if the event is \`redacted\` |
| \`changes\` | json | the fields that changed: \`{"field": {"from": …, "to": …}}\`; no row if none did or the row was new |
`

const HANDLERS = `## handler_runs

One row per event and handler: the key is \`(event_id, handler)\`.

| column | type | meaning |
|---|---|---|
| \`status\` | text | \`pending\`, \`running\`, \`retrying\`, \`succeeded\`, \`dead\` or \`discarded\` |
| \`attempts\` | integer | how often it was tried since it was begun, or begun again by somebody |
| \`due_at\` | timestamptz | when it is to be tried; while it runs, the end of its worker’s lease |
| \`claim\`, \`worker\` | text | the try that may write its end, and the process that makes it |
| \`order_key\` | text | the resource, for an ordered handler |
| \`occurred_at\` | timestamptz | when the event happened |
| \`created_at\`, \`started_at\`, \`finished_at\` | timestamptz | when it was recorded, last tried, and done |
| \`error\`, \`fingerprint\` | text | of the last failed try; errors that differ only in ids and numbers share a fingerprint |
| \`history\` | json | the last ten failed tries |
| \`note\` | text | why somebody discarded or retried it |

## handlers

| column | type | meaning |
|---|---|---|
| \`name\` | text | the handler |
| \`paused_at\` | timestamptz | since when its runs wait |
| \`pause_reason\` | text | why |
`

const JOBS = `## jobs

Backfills, reconciles and other work that takes long. One job of a kind runs at a time; when its process dies, the next run
with the same scope goes on at the checkpoint.

| column | type | meaning |
|---|---|---|
| \`id\` | text | \`job_…\` |
| \`kind\` | text | \`backfill\`, \`reconcile\`, … |
| \`status\` | text | \`running\`, \`complete\`, \`incomplete\`, \`failed\` or \`aborted\` |
| \`scope\` | jsonb | what it is to do, and of which Clerk instance |
| \`checkpoint\` | jsonb | where to go on |
| \`progress\` | jsonb | how far it is, by resource: counts of expected, listed, written, unchanged, skipped, failed |
| \`report\` | jsonb | what a reconcile found |
| \`error\` | jsonb | the code and message of what ended it |
| \`worker\`, \`lease_until\` | text, timestamptz | who runs it, and until when he counts as alive |
| \`runs\` | integer | how many runs it took so far |
| \`created_at\`, \`started_at\`, \`updated_at\`, \`finished_at\` | timestamptz | the job, its latest run, when it was last heard of, its end |

## sweep_seen_ids

What a reconcile under way has seen of Clerk's lists: \`(job_id, resource, id)\`.

## sweep_starts

When the last sweep that has read a resource as a whole began, by Clerk's clock: \`(resource, instance_id, started_at)\`. What
Clerk had then is in its table.

## pending_verifications

Rows that an event made which is older than that sweep: \`(resource, id, asked_at)\`. Clerk may have deleted them before
the sweep, and is asked for each by its id; then its row here is removed.

## tombstones

What was deleted under the policy \`hard\`: \`(resource, id, deleted_at, event_id, instance_id)\`. The row is gone, and nothing that arrives later
makes it again. See [privacy.md](privacy.md#when-clerk-deletes).

## maintenance, retention_log

\`maintenance\` is one row: who does the maintenance (\`holder\`, \`lease_until\`) and when it was last done (\`ended_at\`).
\`retention_log\` says when parts of events were forgotten: \`(part, received_before, forgotten_at)\`. See [retention.md](retention.md).

## api_budgets

When the next request to Clerk's Backend API may be sent (\`next_at\`), by a hash of the secret key (\`key\`): what keeps all
processes together below Clerk's limit.
`

const OVERVIEW = `## event_minutes

The number of events in each minute, by their first outcome. Several connections count at a time: add the
shards up.

| column | type | meaning |
|---|---|---|
| \`minute\` | timestamptz | the minute’s start, by the time of receipt |
| \`shard\` | smallint | tells connections apart |
| \`outcome\` | text | as of \`events\`, or \`duplicate\` |
| \`lag_step\` | smallint | from Clerk’s time to ours: √2 to this power in milliseconds; -1 for what has no lag |
| \`events\` | integer | how many |

Kept for 8 days.

## event_spans

The same in spans of ten minutes, with refused requests as the outcome \`rejected\`; kept for 200 days. Maintenance adds
them up every hour: \`(span, outcome, lag_step) → events\`.

## refusals

Requests that were no deliveries, by the minute and the error’s code. Kept for 30 days.

| column | type | meaning |
|---|---|---|
| \`minute\`, \`code\` | timestamptz, text | the key |
| \`requests\` | integer | how many |
| \`last_at\`, \`message\` | timestamptz, text | the last one of the minute |
| \`request\` | json | one of them: headers without credentials, size, source address, the body’s first characters without personal data, what made the signature not fit |

## releases

When the first process of each release of your app started, by the option \`release\`: charts and failures name it.

## failure_mutes

Groups of failures that are known, and until when the status says nothing of them: \`(handler, fingerprint) → until\`.

## audit_log

Who did what in the dashboard: replays, retries, discards, revealed personal data, sign-ins. Rows are only
added, and kept for 400 days.

| column | type | meaning |
|---|---|---|
| \`id\`, \`at\` | text, timestamptz | when |
| \`actor\`, \`role\` | text | who |
| \`action\`, \`target\` | text | what was done to what |
| \`reason\`, \`details\` | text, jsonb | why, and how |
| \`succeeded\` | boolean | false: it was refused or failed |
`

/** The page's text. */
export function schemaPage(): string {
  const resources = [...RESOURCES.values()].map(resourceSection)
  const children = Object.values(CHILD_SETS).map((childSet) => childSection(childSet))
  return [INTRODUCTION, LEDGER, HANDLERS, JOBS, OVERVIEW, ...resources, ...children].join('\n')
}

function resourceSection(resource: Resource): string {
  const events = Object.keys(resource.events).map((type) => `\`${type}\`${isRetired(resource, type)}`)
  const sources = [
    events.length > 0 ? `Events: ${events.join(', ')}.` : 'Clerk sends no events of its own for it.',
    ...holders(resource.table).map((holder) => `Also taken from inside \`${holder}\`.`),
    ...belongings(resource),
  ]
  return `## ${resource.table}\n\n${resource.description} ${sources.join(' ')}\n\n${columnTable(resource.columns)}`
}

/** Said of types that need not be ticked. */
function isRetired({ retired = [] }: Resource, type: string): string {
  return retired.some((each) => each === type) ? ' (no longer sent)' : ''
}

function childSection(childSet: ChildSet): string {
  const { description, parentColumn } = childSet
  const parent = parentColumn.replace('_id', '')
  const text = `${description} Replaced as a whole when a state of their ${parent} shows another set; the key is \`(${parentColumn}, id)\`.`
  return `## ${childSet.table}\n\n${text}\n\n${columnTable(childSet.columns, [`| \`${parentColumn}\` | text | the ${parent}’s \`id\` |`])}`
}

function holders(table: string): string[] {
  const all = [...RESOURCES.values()]
  return all
    .filter(({ embeds = [] }) => embeds.some(({ resource }) => resource === table))
    .map((holder) => holder.table)
}

function belongings({ parents = {} }: Resource): string[] {
  const owners = Object.values(parents).map((table) => `\`${table}\``)
  return owners.length > 0 ? [`Deleted with its row in ${owners.join(' or ')}.`] : []
}

function columnTable(columns: Columns, first: string[] = []): string {
  const rows = Object.entries(columns).map(
    ([name, column]) => `| \`${name}\` | ${column.sqlType} | ${sourceOf(name, column)} |`,
  )
  return ['| column | type | Clerk’s field |', '|---|---|---|', ...first, ...rows, ''].join('\n')
}

function sourceOf(name: string, { source }: Column): string {
  if (typeof source === 'function') return `the one that \`${name}_id\` names`
  const paths = source === undefined ? [name] : typeof source === 'string' ? [source] : source
  return paths.map((path) => `\`${path}\``).join(' or ')
}

if (import.meta.main) writeFileSync(new URL('../docs/schema.md', import.meta.url), schemaPage())
