/**
 * Hides personal data until somebody asks for it by name: enough stays to tell one from another, not enough to know who
 * it is. Works on any JSON, because payloads hold what the team and its users put there.
 */

const HIDDEN = '•••'

/** Fields that say who somebody is, wherever they are. */
const PERSONAL =
  /^(first|last|full|given|family)_?name$|^username$|^identifier$|e_?mail|phone|wallet|(^|_)ip(_address)?$|birth|gender|address|image_url|avatar_url|^provider_user_id$|^external_id$|^(body|body_plain|message|subject)$|user_agent|city|^password/i

/** What the team keeps of its own: nobody knows what is in there. */
const METADATA = /_metadata$/i

const EMAIL = /([^\s"'<>@:,;()]{1,64})@((?:[^\s"'<>@:,;().]+\.)+[^\s"'<>@:,;().]{2,})/g
const PHONE = /(?<![\w.:-])\+\d[\d ()/.-]{5,}\d(?![\w:-])/g

/** Payloads are checked for their depth when they are received; this is for what was parked because of it. */
const MAX_DEPTH = 200

/** Hides e-mail addresses and phone numbers in a text. */
export function maskText(text: string): string {
  return text
    .replace(EMAIL, (_, name: string, domain: string) => `${[...name][0]}${HIDDEN}@${domain}`)
    .replace(PHONE, (number) => `${number.slice(0, 3)}${HIDDEN}`)
}

/** Hides all of a value but its first letter, and the domain of an e-mail address. */
export function maskValue(text: string): string {
  const masked = maskText(text)
  if (masked !== text || text === '') return masked
  return `${[...text][0]}${HIDDEN}`
}

/** A copy without personal data. `key` is the name of the field that holds the value. */
export function maskJson(value: unknown, key = '', depth = 0): unknown {
  if (depth > MAX_DEPTH) return HIDDEN
  if (typeof value === 'string') return PERSONAL.test(key) ? maskValue(value) : maskText(value)
  if (Array.isArray(value)) return value.map((member) => maskJson(member, key, depth + 1))
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  const hides = METADATA.test(key)
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      hides ? hideAll(member, depth + 1) : maskJson(member, name, depth + 1),
    ]),
  )
}

/** Keeps the shape and nothing else. */
function hideAll(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) return HIDDEN
  if (value === null || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map((member) => hideAll(member, depth + 1))
  if (typeof value !== 'object') return HIDDEN
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, hideAll(member, depth + 1)]))
}
