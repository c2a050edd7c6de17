/** What the payloads of every kind are made of. */

/** Milliseconds since 1970. */
export type Milliseconds = number

/** Free JSON that the team or its users put there. */
export type Metadata = Record<string, unknown>

/** Any object inside an event. */
export interface Payload {
  [field: string]: unknown
}

export type Identified = {
  id: string
  /** Clerk's name for the kind; in some events that of another kind. */
  object?: string
}

/** A part of a resource, which has the times only in Clerk's OpenAPI. */
export type Part = Identified & {
  created_at?: Milliseconds
  updated_at?: Milliseconds
}

export type Resource = Identified & {
  created_at: Milliseconds
  updated_at: Milliseconds
}
