/** The usual causes of a signature mismatch, in one table: what happened, and what to do. */

interface Entry {
  /** Completes "The signature does not match any configured signing secret: …" */
  readonly summary: string
  readonly remedy: string
}

export const MISMATCH_CAUSES = {
  other_secret: {
    summary: 'it was made with a secret that is set here under another name',
    remedy:
      'Set CLERK_WEBHOOK_SIGNING_SECRET to the value of that variable (while you rotate: to both values, separated by a comma), and delete that variable.',
  },
  secret_not_decoded: {
    summary: 'it was made with the text of the secret, not with the bytes that the text encodes',
    remedy:
      'Svix did not send this. In your own sender, decode the base64 after whsec_, or use `clerk-sync trigger` or `signDelivery` of clerk-sync/testing.',
  },
  signature_misspelt: {
    summary: 'its bytes are correct, but it is not written as `v1,` and standard base64',
    remedy: 'Svix did not send this. Write the signature as `v1,` and standard base64.',
  },
  content_misspelt: {
    summary: 'it covers the body, but the signed text is not id.timestamp.body',
    remedy:
      'Svix did not send this. Sign the svix-id, the svix-timestamp and the body, joined by dots, as `signDelivery` of clerk-sync/testing does.',
  },
  timestamp_changed: {
    summary: 'it was made for a timestamp other than the one in the header',
    remedy:
      'Check whether a proxy rewrites the svix-timestamp header. Your own sender must sign the timestamp that it sends.',
  },
  headers_mixed: {
    summary: 'the svix-… and the webhook-… headers belong to two different messages',
    remedy: 'Check whether a proxy adds headers: a delivery has either svix-… or webhook-… headers.',
  },
  body_reserialised: {
    summary:
      'it matches the same JSON in another format, so something parsed the body and serialised it again',
    remedy:
      'Pass on the bytes that arrived. In Express register the route before express.json(); in a proxy or function forward the raw body, not JSON.stringify(request.body).',
  },
  body_base64: {
    summary: 'it matches the decoded body, so the body is still encoded as base64',
    remedy:
      'Decode the body first. API Gateway and AWS Lambda mark it in the event: `event.isBase64Encoded ? Buffer.from(event.body, "base64") : event.body`.',
  },
  body_encoded_twice: {
    summary:
      'it matches the text or bytes that the body contains as JSON, so something encoded the body a second time',
    remedy: 'Pass on the bytes that arrived: drop the JSON.stringify around a body that is text or a Buffer.',
  },
  body_blanks_changed: {
    summary: 'it matches the body with different line endings or surrounding white space',
    remedy:
      'Pass on the bytes that arrived. Text editors, shells and `echo` add a newline: use `--data-binary`.',
  },
  body_mark_changed: {
    summary: 'it matches the body with or without a byte order mark, which something added or removed',
    remedy: 'Pass on the bytes that arrived, without decoding and encoding them.',
  },
  body_recoded: {
    summary: 'it matches the body in another encoding, so something read the UTF-8 as Latin-1',
    remedy: 'Pass on the bytes that arrived, without decoding and encoding them.',
  },
} as const satisfies Record<string, Entry>

/** The diagnosed cause of a signature mismatch. */
export type MismatchCauseCode = keyof typeof MISMATCH_CAUSES
