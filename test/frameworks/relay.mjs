/**
 * Loaded into an app before anything else: the shared sync of its process hands every request on to the tests' process,
 * as it arrives, so that the same suite runs against a framework wherever and on whatever runtime it is served.
 */

const { sharedClerkSync } = await import(process.env.RELAY_PACKAGE)

const sync = sharedClerkSync({
  signingSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  database: 'postgres://127.0.0.1',
})
sync.handle = relay
// Handlers are the tests' own.
sync.check = sync.work = async () => undefined

async function relay({ method, headers, body, advice }) {
  const envelope = { method, headers: toObject(headers), advice, isGone: body === null }
  const response = await fetch(process.env.RELAY_URL, {
    method: 'POST',
    headers: { 'x-envelope': encodeURIComponent(JSON.stringify(envelope)) },
    body: body === null || body === '' ? null : toStream(body),
    duplex: 'half',
  }).catch(() => undefined)
  // The sender left, and took the body with it.
  return response ? response.json() : { status: 400, headers: {}, body: '' }
}

function toObject(headers) {
  return typeof headers.get === 'function' ? Object.fromEntries(headers) : headers
}

function toStream(body) {
  if (typeof body === 'string' || ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return body
  return body instanceof ReadableStream ? body : ReadableStream.from(body)
}
