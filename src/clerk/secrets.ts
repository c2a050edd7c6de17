/**
 * Some events carry what lets its reader sign in as somebody else: one-time codes in messages, tickets in
 * invitation URLs, backup codes. Those values are replaced before anything is stored; everything around them stays.
 */

import { isObject } from './event.ts'
import type { Payload } from './payloads.ts'

const REDACTED = '[redacted]'

/** A field that holds a secret, as a path into the payload, and what is stored in its place. */
export interface Redaction {
  readonly path: readonly string[]
  readonly value: unknown
}

/** Finds the secrets in a payload of one resource. */
export type SecretFinder = (data: Payload) => Redaction[]

/** The whole field is a secret, if it is there. */
export function secretField(...path: string[]): SecretFinder {
  return (data) => (readAt(data, path) ? [{ path, value: REDACTED }] : [])
}

/** The secrets of an object, or of each object of a list, inside the payload. */
export function secretsWithin(field: string, find: SecretFinder): SecretFinder {
  return (data) => {
    const value = data[field]
    const members = Array.isArray(value)
      ? value.map((member, index) => [String(index), member])
      : [['', value]]
    return members.flatMap(([index, member]) =>
      isObject(member)
        ? find(member).map((found) => ({ ...found, path: [field, index, ...found.path].filter(Boolean) }))
        : [],
    )
  }
}

/**
 * Query parameters that sign in anyone who opens the link, also in HTML (`&amp;`) and in a link within a link (`%3F`).
 */
const LINK_TOKEN =
  /((?:[?&;#]|%3F|%26|%23)(?:__clerk_ticket|__clerk_db_jwt|ticket|token|code)(?:=|%3D))(?:(?!%26)[^&\s"'<>])+/gi
/** Clerk's one-time codes have six digits; six digits after "#" are a colour of the mail's style sheet. */
const SIX_DIGITS = /(?<![\w#&.,-])\d{6}(?![\w-])/g
const CODE_FIELD = /otp|code|token|ticket/i

/**
 * The one-time codes and link tokens in the text of a message and in the values it was made from.
 * @param textFields the payload's fields that hold the text
 */
export function messageSecrets(...textFields: string[]): SecretFinder {
  return (data) => [...maskedTexts(data, textFields), ...maskedVariables(data)]
}

function maskedTexts(data: Payload, textFields: readonly string[]): Redaction[] {
  const codes = variablesIn(data.data)
    .filter(({ path, text }) => isCode(path) && text.length >= 4)
    .map(({ text }) => text)
  return textFields.flatMap((field) => {
    const text = data[field]
    if (typeof text !== 'string') return []
    const withoutCodes = codes.reduce((masked, code) => masked.replaceAll(code, REDACTED), text)
    const value = withoutCodes.replace(SIX_DIGITS, REDACTED).replace(LINK_TOKEN, `$1${REDACTED}`)
    return value === text ? [] : [{ path: [field], value }]
  })
}

function maskedVariables(data: Payload): Redaction[] {
  return anySecrets(data.data).map(({ path, value }) => ({ path: ['data', ...path], value }))
}

/** What looks like a code or a link token, in something of an unknown shape. */
export function anySecrets(value: unknown): Redaction[] {
  return variablesIn(value).flatMap(({ path, text }) => {
    const masked = isCode(path) ? REDACTED : text.replace(LINK_TOKEN, `$1${REDACTED}`)
    return masked === text ? [] : [{ path, value: masked }]
  })
}

/** At any level: a code may be one of a list. */
function isCode(path: readonly string[]): boolean {
  return path.some((key) => CODE_FIELD.test(key))
}

function variablesIn(value: unknown, path: string[] = []): { path: string[]; text: string }[] {
  if (typeof value === 'string' || typeof value === 'number') return [{ path, text: String(value) }]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, member]) => variablesIn(member, [...path, key]))
}

/** A copy of the payload without its secrets. */
export function redact(data: Payload, redactions: readonly Redaction[]): Payload {
  return redactions.reduce((kept, { path, value }) => replaceAt(kept, path, value) as Payload, data)
}

/** A copy along the path. */
function replaceAt(value: unknown, [key = '', ...rest]: readonly string[], replacement: unknown): unknown {
  const inner = rest.length === 0 ? replacement : replaceAt((value as Payload)[key], rest, replacement)
  return Array.isArray(value) ? value.with(Number(key), inner) : { ...(value as Payload), [key]: inner }
}

function readAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Payload | null | undefined)?.[key], value)
}
