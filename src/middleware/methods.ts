/** Methods of strings, patterns and lists whose results are known where what goes in is known. */

import {
  callable,
  known,
  list,
  type Primitive,
  type Thing,
  truthOf,
  UNDEFINED,
  UNKNOWN,
  type Value,
} from './value.ts'
import type { Decide } from './ways.ts'

/** Those that neither run code nor change anything. */
const OF_STRINGS = new Set([
  'startsWith',
  'endsWith',
  'includes',
  'indexOf',
  'toLowerCase',
  'toUpperCase',
  'trim',
  'slice',
  'substring',
  'replace',
  'replaceAll',
  'split',
  'at',
  'charAt',
  'concat',
  'match',
  'search',
  'toString',
])

export function methodOf(owner: Value, name: string, decide: Decide): Thing | undefined {
  if (owner.kind === 'known' && typeof owner.value === 'string') return ofString(owner.value, name)
  if (owner.kind === 'pattern' && name === 'test') return callable(([text]) => test(owner.value, text))
  return owner.kind === 'list' ? ofList(owner.items, name, decide) : undefined
}

function test(pattern: RegExp, text: Value | undefined): Value {
  return text?.kind === 'known' ? known(new RegExp(pattern).test(String(text.value))) : UNKNOWN
}

function ofString(text: string, name: string): Thing | undefined {
  if (!OF_STRINGS.has(name)) return undefined
  return callable((args) => {
    const values = args.map((arg) => (arg.kind === 'known' || arg.kind === 'pattern' ? arg.value : UNKNOWN))
    if (values.includes(UNKNOWN)) return UNKNOWN
    return toValue(apply(text, name, values))
  })
}

/** Undefined for arguments that it refuses, such as a pattern for startsWith. */
function apply(text: string, name: string, values: readonly unknown[]): unknown {
  try {
    const method = Reflect.get(String.prototype, name) as (...args: readonly unknown[]) => unknown
    return Reflect.apply(method, text, values)
  } catch {
    return UNKNOWN
  }
}

function toValue(result: unknown): Value {
  if (result === UNKNOWN) return UNKNOWN
  return Array.isArray(result) ? list(result.map((each) => known(each))) : known(result as Primitive)
}

const TAKES_TEST = new Set(['some', 'every', 'find', 'filter'])

function ofList(items: readonly Value[], name: string, decide: Decide): Thing | undefined {
  if (name === 'includes' || name === 'has') return callable(([sought]) => includes(items, sought))
  if (name === 'map') return callable(([map]) => list(items.map((item, index) => call(map, item, index))))
  if (name === 'flat')
    return callable(() => list(items.flatMap((each) => (each.kind === 'list' ? each.items : [each]))))
  if (name === 'concat')
    return callable((args) =>
      list([...items, ...args.flatMap((each) => (each.kind === 'list' ? each.items : [each]))]),
    )
  if (!TAKES_TEST.has(name)) return undefined
  return callable(([predicate]) => {
    const holds = (item: Value, index: number) => {
      const value = call(predicate, item, index)
      return truthOf(value) ?? decide()
    }
    if (name === 'some') return known(items.some(holds))
    if (name === 'every') return known(items.every(holds))
    return name === 'find' ? (items.find(holds) ?? UNDEFINED) : list(items.filter(holds))
  })
}

function call(code: Value | undefined, item: Value, index: number): Value {
  return code?.kind === 'thing' && code.call ? code.call([item, known(index)], 0) : UNKNOWN
}

/** One unknown item may be what is sought. */
function includes(items: readonly Value[], sought: Value | undefined): Value {
  if (sought?.kind !== 'known') return UNKNOWN
  const isIn = items.some((item) => item.kind === 'known' && item.value === sought.value)
  return isIn || items.every(({ kind }) => kind !== 'unknown') ? known(isIn) : UNKNOWN
}
