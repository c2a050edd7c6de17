/** The shape of JSON, as a type of TypeScript: read from values, so that a page about it cannot say anything else. */

export interface Shape {
  /** `string`, `null` … */
  readonly kinds: Set<string>
  readonly fields: Map<string, Shape>
  /** In how many objects each field was. */
  readonly seen: Map<string, number>
  objects: number
  items: Shape | undefined
}

/** @param isMap tells of a path, `resources`, that its keys are names and not fields */
export function shapeOf(values: readonly unknown[], isMap: (path: string) => boolean, path = ''): Shape {
  const shape: Shape = { kinds: new Set(), fields: new Map(), seen: new Map(), objects: 0, items: undefined }
  const inside = new Map<string, unknown[]>()
  const items: unknown[] = []
  for (const value of values) {
    if (Array.isArray(value)) items.push(...value)
    if (Array.isArray(value)) shape.kinds.add('array')
    else if (typeof value !== 'object' || value === null)
      shape.kinds.add(value === null ? 'null' : typeof value)
    else {
      shape.objects++
      const entries = Object.entries(value)
      const named = isMap(path) ? entries.map(([, each]) => ['[name: string]', each] as const) : entries
      for (const [key, each] of named) inside.set(key, [...(inside.get(key) ?? []), each])
      for (const key of new Set(named.map(([key]) => key)))
        shape.seen.set(key, (shape.seen.get(key) ?? 0) + 1)
    }
  }
  for (const [key, each] of inside)
    shape.fields.set(
      key,
      shapeOf(each, isMap, isMap(path) ? `${path}.*` : path === '' ? key : `${path}.${key}`),
    )
  if (shape.kinds.has('array')) shape.items = shapeOf(items, isMap, `${path}[]`)
  return shape
}

export function renderShape(shape: Shape, indentation = ''): string {
  const others = [...shape.kinds].filter((kind) => kind !== 'array').sort()
  const all = [
    ...(shape.objects > 0 ? [renderFields(shape, indentation)] : []),
    ...(shape.items ? [renderItems(shape.items, indentation)] : []),
    ...others.filter((kind) => kind !== 'null'),
    ...others.filter((kind) => kind === 'null'),
  ]
  return all.length === 0 ? 'unknown' : all.join(' | ')
}

function renderItems(items: Shape, indentation: string): string {
  const item = renderShape(items, indentation)
  return item.includes(' | ') && !item.startsWith('{') ? `(${item})[]` : `${item}[]`
}

function renderFields({ fields, seen, objects }: Shape, indentation: string): string {
  const deeper = `${indentation}  `
  // Sorted, since records may come in any order; what kind of record it is comes first.
  const sorted = [...fields].sort(
    ([a], [b]) => Number(b === 'type') - Number(a === 'type') || (a < b ? -1 : 1),
  )
  const lines = sorted.map(([name, field]) => {
    const isOptional = !name.startsWith('[') && (seen.get(name) ?? 0) < objects
    return `${deeper}${name}${isOptional ? '?' : ''}: ${renderShape(field, deeper)}`
  })
  return `{\n${lines.join('\n')}\n${indentation}}`
}
