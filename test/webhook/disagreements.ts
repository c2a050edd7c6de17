/** The vectors on which another package's verdict differs from ours, who accepts them, and why ours is what it is. */

import { JUDGE_NAMES, type JudgeName } from './judges.ts'
import { vectors } from './vectors.ts'

export interface Disagreement {
  readonly acceptedBy: readonly ('clerk-sync' | JudgeName)[]
  readonly reason: string
}

const UNSIGNED_TEXT =
  'They read a number and ignore the rest, so that unsigned text rides in a header that counts as verified.'
const ODD_ID =
  'Svix makes no such id. An id is a key, is logged and is shown: letters, digits, "_" and "-" do no harm anywhere.'
const DOT_IN_ID =
  'The signed text is `id.timestamp.body`; with dots in the id one signature fits several ids and bodies.'
const WEAK_SECRET = 'Anyone who can guess the key can sign.'
const PARKED =
  'The signature is right, so the bytes are kept and the event is parked. They parse before they answer, and it is lost.'
const DECODED =
  'They decode before they compare: many bodies become U+FFFD and share one signature. Ours is over the bytes.'

export const DISAGREEMENTS: Readonly<Record<string, Disagreement>> = {
  'timestamp/exponent-e0': theyAccept(UNSIGNED_TEXT),
  'timestamp/trailing-junk': theyAccept(UNSIGNED_TEXT),
  'timestamp/leading-zeros': theyAccept('One signed time, many spellings of the header. Svix has one.'),
  'id/script': theyAccept(ODD_ID),
  'id/path': theyAccept(ODD_ID),
  'id/space': theyAccept(ODD_ID),
  'id/4k': theyAccept(ODD_ID),
  'id/resplit-left': {
    acceptedBy: ['clerk-sync', 'svix'],
    reason: `${DOT_IN_ID} This one has no dot and only shows in the body, which is parked.`,
  },
  'id/resplit-json-number': theyAccept(DOT_IN_ID),
  'sigheader/third-field': theyAccept(
    'They compare the second field and let unsigned text ride in the third.',
  ),
  'sigheader/nbsp-tail': {
    acceptedBy: ['@clerk/backend'],
    reason: 'HTTP allows spaces and tabs around a value; it trims every Unicode space.',
  },
  'sigheader/dup-timestamp-same': theyAccept(UNSIGNED_TEXT),
  'sigheader/dup-timestamp-other': theyAccept(UNSIGNED_TEXT),
  'secret/leading-space': {
    acceptedBy: ['clerk-sync'],
    reason: 'White space around a pasted secret is no mistake worth an outage: trimmed, with a warning.',
  },
  'secret/one-byte': theyAccept(WEAK_SECRET),
  'secret/placeholder-test': theyAccept(WEAK_SECRET),
  'secret/placeholder-x': theyAccept(WEAK_SECRET),
  'secret/15-bytes': theyAccept(WEAK_SECRET),
  'secret/noncanonical': theyAccept(
    'No encoder writes this base64: the secret was changed while it was copied.',
  ),
  'secret/rotation-new-only': {
    acceptedBy: ['clerk-sync'],
    reason: 'They take one secret. Clerk’s rotation is a second endpoint with a secret of its own.',
  },
  'headers/webhook-family': {
    acceptedBy: ['clerk-sync', 'svix', 'standardwebhooks'],
    reason: 'The names of the Standard Webhooks specification, which Svix can be configured to send.',
  },
  'headers/crlf-in-object': { acceptedBy: ['svix', 'standardwebhooks'], reason: ODD_ID },
  'headers/latin1-id': theyAccept(ODD_ID),
  'body/raw-nul': svixAndWe(PARKED),
  'body/empty': {
    acceptedBy: ['svix', 'standardwebhooks'],
    reason:
      'Svix sends no empty body. It means that something read the body before, and is answered as that.',
  },
  'body/not-json': svixAndWe(PARKED),
  'body/truncated-json': svixAndWe(PARKED),
  'body/json-nan': svixAndWe(PARKED),
  'body/two-documents': svixAndWe(PARKED),
  'body/big-5m': theyAccept('Above `maxBodyBytes`; they are given the body after all of it was read.'),
  'encoding/ff-textsigned': theyAccept(DECODED),
  'encoding/overlong-nul-textsigned': theyAccept(DECODED),
  'encoding/surrogate-bytes-textsigned': theyAccept(DECODED),
  'encoding/beyond-10ffff-textsigned': theyAccept(DECODED),
  'encoding/bom-added': {
    acceptedBy: ['@clerk/backend'],
    reason: 'It reads the request as text, which drops a byte order mark that was never signed.',
  },
}

function theyAccept(reason: string): Disagreement {
  return { acceptedBy: JUDGE_NAMES, reason }
}

function svixAndWe(reason: string): Disagreement {
  return { acceptedBy: ['clerk-sync', 'svix'], reason }
}

/** The rows of the table in `docs/verification.md`. */
export function disagreementTable(): string {
  const columns = ['clerk-sync', ...JUDGE_NAMES] as const
  const rows = Object.entries(DISAGREEMENTS).map(([id, { acceptedBy, reason }]) => {
    const title = vectors.find((vector) => vector.id === id)?.title.replaceAll('|', '\\|')
    const verdicts = columns.map((name) => (acceptedBy.includes(name) ? 'accepts' : 'refuses'))
    return `| ${[title, ...verdicts, reason].join(' | ')} |`
  })
  const head = ['What is sent', 'clerk-sync', 'svix', 'standardwebhooks', '@clerk/backend', 'Why']
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n')
}
