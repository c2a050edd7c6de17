/**
 * Reduces Clerk's two official OpenAPI documents to what the specification test reads: event types, lists and the names
 * of fields. https://github.com/clerk/openapi-specs
 *
 * node scripts/clerk-spec.ts <webhooks.json> <backend-api.json> > test/fixtures/clerk-spec.json
 */

import { readFileSync } from 'node:fs'

interface Schema {
  readonly $ref?: string
  readonly allOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
}

interface Operation {
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Content }>>
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>

interface Document {
  readonly info: { readonly version: string }
  readonly paths?: Readonly<Record<string, { readonly get?: Operation }>>
  readonly 'x-webhooks'?: Readonly<Record<string, { readonly post: Operation }>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly responses?: Readonly<Record<string, { readonly content: Content }>>
  }
}

const [webhooks, backendApi] = process.argv.slice(2).map(read) as [Document, Document]
process.stdout.write(
  `${JSON.stringify({ events: eventsOf(webhooks), reads: readsOf(backendApi) }, null, 1)}\n`,
)

function read(file: string): Document {
  return JSON.parse(readFileSync(file, 'utf8')) as Document
}

/** By type: the fields of `data`, and those of each list of objects in it. */
function eventsOf(document: Document) {
  const events = Object.entries(document['x-webhooks'] ?? {}).map(([type, { post }]) => {
    const { data } = propertiesOf(document, jsonOf(post.requestBody?.content))
    return [type, shapeOf(document, data ?? {})] as const
  })
  return Object.fromEntries(events)
}

/** By path: the same of what it shows, one by one or as a list. */
function readsOf(document: Document) {
  const reads = Object.entries(document.paths ?? {}).flatMap(([path, { get }]) => {
    const shape = get && shapeOf(document, shownBy(document, get))
    return shape && shape.fields !== '' ? [[path, shape] as const] : []
  })
  return Object.fromEntries(reads)
}

function shownBy(document: Document, { responses }: Operation): Schema {
  const { $ref, content } = responses['200'] ?? {}
  const answer = $ref ? document.components.responses?.[nameOf($ref)]?.content : content
  const schema = resolve(document, jsonOf(answer))
  const { data, m2m_tokens } = propertiesOf(document, schema)
  return schema.items ?? resolve(document, data ?? m2m_tokens ?? {}).items ?? schema
}

function shapeOf(document: Document, schema: Schema) {
  const properties = Object.entries(propertiesOf(document, schema))
  const members = properties.flatMap(([name, property]) => {
    const { items } = resolve(document, property)
    const fields = items ? Object.keys(propertiesOf(document, items)) : []
    return fields.length > 0 ? [[name, fields.join(' ')] as const] : []
  })
  const fields = properties.map(([name]) => name).join(' ')
  return members.length > 0 ? { fields, members: Object.fromEntries(members) } : { fields }
}

function propertiesOf(document: Document, schema: Schema): Readonly<Record<string, Schema>> {
  const { allOf = [], properties = {} } = resolve(document, schema)
  return Object.assign({}, ...allOf.map((each) => propertiesOf(document, each)), properties)
}

function resolve(document: Document, schema: Schema): Schema {
  if (schema.$ref) return resolve(document, document.components.schemas[nameOf(schema.$ref)] ?? {})
  return schema
}

function nameOf(reference: string): string {
  return reference.split('/').at(-1) ?? ''
}

function jsonOf(content: Content | undefined): Schema {
  return content?.['application/json']?.schema ?? {}
}
