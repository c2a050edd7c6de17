/** Which parts of a payload say who somebody is, and texts without them. */

const HIDDEN = '•••'

/** Fields that say who somebody is, wherever they are. */
export const PERSONAL =
  /^(first|last|full|given|family)_?name$|^username$|^identifier$|e_?mail|phone|wallet|(^|_)ip(_address)?$|birth|gender|address|image_url|avatar_url|^provider_user_id$|^external_id$|^(body|body_plain|message|subject)$|user_agent|city|^password/i

/** What the team keeps of its own: nobody knows what is in there. */
export const METADATA = /_metadata$/i

const EMAIL = /([^\s"'<>@:,;()]{1,64})@((?:[^\s"'<>@:,;().]+\.)+[^\s"'<>@:,;().]{2,})/g
const PHONE = /(?<![\w.:-])\+\d[\d ()/.-]{5,}\d(?![\w:-])/g

/** Hides e-mail addresses and phone numbers in a text. */
export function maskText(text: string): string {
  return text
    .replace(EMAIL, (_, name: string, domain: string) => `${[...name][0]}${HIDDEN}@${domain}`)
    .replace(PHONE, (number) => `${number.slice(0, 3)}${HIDDEN}`)
}

/** Shorter values, such as initials, would be found in the middle of words. */
const MIN_LENGTH = 3
/** Searching one text for this many values costs a millisecond. */
const MAX_VALUES = 500
/** Ids are what logs are there for. */
const ID = /^[a-z]+_[0-9A-Za-z]{8,}$/

/** The text without any personal value of a payload: what a handler throws often quotes the event. */
export function withoutPersonalData(text: string, payload: unknown): string {
  const values = [...personalValues(payload)].slice(0, MAX_VALUES)
  const longestFirst = values.sort((a, b) => b.length - a.length)
  return maskText(longestFirst.reduce((rest, value) => rest.replaceAll(value, HIDDEN), text))
}

function personalValues(payload: unknown): Set<string> {
  const found = new Set<string>()
  const open: { value: unknown; isPersonal: boolean }[] = [{ value: payload, isPersonal: false }]
  for (let next = open.pop(); next !== undefined && found.size < MAX_VALUES; next = open.pop()) {
    const { value, isPersonal } = next
    if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value))
        open.push({ value: member, isPersonal: isPersonal || METADATA.test(name) || PERSONAL.test(name) })
      continue
    }
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
    if (isPersonal && text.length >= MIN_LENGTH && !ID.test(text)) found.add(text)
  }
  return found
}
