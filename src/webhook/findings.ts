/** What usually makes a signature not fit, in one table: what happened, and what to do about it. */

interface Entry {
  /** Completes "No configured signing secret made this signature over these bytes: …" */
  readonly summary: string
  readonly remedy: string
}

export const FINDINGS = {
  other_secret: {
    summary: 'another secret that is set here made it',
    remedy:
      'Set CLERK_WEBHOOK_SIGNING_SECRET to the value of that variable, or to both values separated by a comma while you rotate, and delete the other name.',
  },
  secret_not_decoded: {
    summary: 'it was made with the text of a secret, not with the bytes that the text encodes',
    remedy:
      'Svix did not send this. Let your own sender decode the base64 after whsec_, or use `clerk-sync trigger` or `signDelivery` of clerk-sync/testing.',
  },
  signature_misspelt: {
    summary: 'it is right, but not written as v1, and base64',
    remedy: 'Svix did not send this. Write the signature as `v1,` and standard base64.',
  },
  content_misspelt: {
    summary: 'it covers the body, but not as id.timestamp.body',
    remedy:
      'Svix did not send this. Sign the svix-id, the svix-timestamp and the body, joined by dots; `signDelivery` of clerk-sync/testing does.',
  },
  timestamp_changed: {
    summary: 'it was made for another timestamp than the header says',
    remedy: 'Check what rewrites the svix-timestamp header. A sender of your own must sign what it sends.',
  },
  headers_mixed: {
    summary: 'the svix- and the webhook- headers are of two messages',
    remedy:
      'Check what adds headers of its own on the way: a delivery has either svix-… or webhook-… headers.',
  },
  body_reserialised: {
    summary: 'it fits the same JSON written otherwise, so something parsed the body and wrote it again',
    remedy:
      'Pass on the bytes that arrived. In Express register the route before express.json(); in a proxy or function forward the raw body, not JSON.stringify(request.body).',
  },
  body_base64: {
    summary: 'it fits the decoded body, so the body is still in base64',
    remedy:
      'Decode it first. API Gateway and AWS Lambda say so in the event: `event.isBase64Encoded ? Buffer.from(event.body, "base64") : event.body`.',
  },
  body_encoded_twice: {
    summary:
      'it fits what the body holds as a JSON string or a list of bytes, so something encoded the body again',
    remedy: 'Pass on the bytes that arrived: drop the JSON.stringify around a body that is text or a Buffer.',
  },
  body_blanks_changed: {
    summary: 'it fits the body with other line ends or white space around it',
    remedy:
      'Pass on the bytes that arrived. Text editors, shells and `echo` add a newline: use `--data-binary`.',
  },
  body_mark_changed: {
    summary: 'it fits the body with another start: a byte order mark was added or removed',
    remedy: 'Pass on the bytes that arrived; do not decode and encode them on the way.',
  },
  body_recoded: {
    summary: 'it fits the body in another encoding, so something read the UTF-8 as Latin-1',
    remedy: 'Pass on the bytes that arrived; do not decode and encode them on the way.',
  },
} as const satisfies Record<string, Entry>

/** What was found to be the reason of a signature that does not fit. */
export type FindingCode = keyof typeof FINDINGS
