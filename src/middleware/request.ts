/** The request of a webhook, as a middleware sees it: POST, signed by Svix, with no cookie and no session. */

import { callable, fieldsOf, known, list, type Thing, textOf, thing, UNKNOWN, type Value } from './value.ts'

const NULL = known(null)

/** Next.js’s request, Astro’s context and a plain Request have these in common. */
export function requestFor(path: string): Thing {
  const url = urlFor(path)
  const fields: Record<string, Value> = {
    method: known('POST'),
    url,
    nextUrl: url,
    headers: headers(),
    cookies: cookies(),
    path: known(path),
  }
  const get = (name: string): Value => (name === 'request' ? request : fieldsOf(fields)(name))
  const request = thing({ get })
  return request
}

/** As a text its host is not known, but where its path ends. */
export function urlFor(path: string): Thing {
  const contains = (text: Value | undefined) => {
    const sought = textOf(text)
    return sought !== undefined && path.includes(sought) ? known(true) : UNKNOWN
  }
  const url: Thing = thing({
    get: fieldsOf({
      pathname: known(path),
      includes: callable(([text]) => contains(text)),
      endsWith: callable(([text]) => known(path.endsWith(textOf(text) ?? '\n'))),
      clone: callable(() => url),
    }),
  })
  return url
}

const SENT: Readonly<Record<string, Value>> = {
  'content-type': known('application/json'),
  'svix-id': { kind: 'unknown', truth: true },
  'svix-timestamp': { kind: 'unknown', truth: true },
  'svix-signature': { kind: 'unknown', truth: true },
  cookie: NULL,
  authorization: NULL,
}

function headers(): Thing {
  const get = (name: Value | undefined) => SENT[textOf(name)?.toLowerCase() ?? ''] ?? UNKNOWN
  return thing({
    get: fieldsOf({
      get: callable(([name]) => get(name)),
      has: callable(([name]) => {
        const value = get(name)
        return value.kind === 'unknown' && value.truth === undefined ? UNKNOWN : known(value !== NULL)
      }),
    }),
  })
}

function cookies(): Thing {
  return thing({
    get: fieldsOf({
      get: callable(() => known(undefined)),
      has: callable(() => known(false)),
      getAll: callable(() => list([])),
    }),
  })
}
