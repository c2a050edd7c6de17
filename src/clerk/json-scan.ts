/**
 * Linear passes over a JSON text, before anything parses it.
 *
 * They answer two questions that `JSON.parse` cannot. How deep is the text? Recursive readers (V8's stringify at
 * 5,000 levels, PGlite's jsonb at 6,000) fail on deep input, PGlite even silently. And which bytes hold the
 * top-level member `data`, or each element of a list? Storing those keeps key order, number spelling and escapes
 * exactly as Clerk sent them.
 *
 * The text need not be valid: what this returns for invalid JSON means nothing, and parsing rejects it afterwards.
 */

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

export interface JsonScan {
  /** Nesting goes beyond `maxDepth`; the scan stopped there. */
  readonly tooDeep: boolean
  /** The bytes of the last top-level member of that name, as `JSON.parse` would pick it. */
  readonly member: Uint8Array | undefined
}

export function scanJson(text: Uint8Array, memberName: string, maxDepth: number): JsonScan {
  let depth = 0
  let key: string | undefined
  let valueStart = 0
  let member: Uint8Array | undefined

  const endMember = (end: number) => {
    if (key === memberName) member = trimWhitespace(text, valueStart, end)
    key = undefined
  }

  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case QUOTE: {
        const end = stringEnd(text, at)
        if (depth === 1 && key === undefined) key = readString(text, at, end)
        at = end
        break
      }
      case COLON:
        if (depth === 1) valueStart = at + 1
        break
      case COMMA:
        if (depth === 1) endMember(at)
        break
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (++depth > maxDepth) return { tooDeep: true, member: undefined }
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (depth === 1) endMember(at)
        depth--
        break
    }
  }
  return { tooDeep: false, member }
}

/** The bytes of each element of the array that a text is. */
export function scanElements(text: Uint8Array): Uint8Array[] {
  const elements: Uint8Array[] = []
  let depth = 0
  let start = 0

  const endElement = (end: number) => {
    const element = trimWhitespace(text, start, end)
    if (element.length > 0) elements.push(element)
    start = end + 1
  }

  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case QUOTE:
        at = stringEnd(text, at)
        break
      case COMMA:
        if (depth === 1) endElement(at)
        break
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (++depth === 1) start = at + 1
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (depth === 1) endElement(at)
        depth--
        break
    }
  }
  return elements
}

/** The index of the quote that ends the string which starts at `start`. */
function stringEnd(text: Uint8Array, start: number): number {
  let end = start
  do {
    end = text.indexOf(QUOTE, end + 1)
    if (end === -1) return text.length
  } while (isEscaped(text, end))
  return end
}

function isEscaped(text: Uint8Array, at: number): boolean {
  let backslashes = 0
  while (text[at - 1 - backslashes] === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

/** Keys may hold escapes: `"d\u0061ta"` is `data` to every JSON parser. */
function readString(text: Uint8Array, start: number, end: number): string {
  const inner = Buffer.from(text.buffer, text.byteOffset + start + 1, Math.max(end - start - 1, 0)).toString()
  if (!inner.includes('\\')) return inner
  try {
    return JSON.parse(`"${inner}"`)
  } catch {
    return inner
  }
}

function trimWhitespace(text: Uint8Array, start: number, end: number): Uint8Array {
  while (start < end && isWhitespace(text[start])) start++
  while (end > start && isWhitespace(text[end - 1])) end--
  return text.subarray(start, end)
}

function isWhitespace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
