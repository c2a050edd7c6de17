/**
 * Whether a middleware keeps webhooks from their route. Read from its source: every way that the request may take is
 * followed, on the path semantics of Clerk and Next.js. What the source does not tell is unclear, never guessed.
 */

import type { ExportDefaultDeclaration, Expression, ImportDeclaration, Program } from 'acorn'
import { frameworkValue, LANGUAGE_MIDDLEWARE } from './frameworks.ts'
import { Interpreter } from './interpreter.ts'
import { matchesSource } from './pattern.ts'
import { requestFor } from './request.ts'
import { Scope } from './scope.ts'
import { lineAt, parseSource } from './source.ts'
import { Ending, textOf, UNKNOWN, type Value } from './value.ts'
import { waysThrough } from './ways.ts'

/** The fate of a webhook, and the line that decides it. */
export type Verdict =
  | { readonly kind: 'public' }
  | { readonly kind: 'protected' | 'unclear'; readonly line: number }

interface Outcome {
  readonly kind: Verdict['kind']
  readonly at: number
}

const PUBLIC: Outcome = { kind: 'public', at: 0 }

/** @param path the path of the webhook route, as in `/api/webhooks/clerk` */
export function judgeMiddleware(text: string, path: string): Verdict {
  const program = parseSource(text)
  if (program === undefined) return { kind: 'unclear', line: 1 }
  const ways = waysThrough((decide) => follow(program, path, decide))
  const { kind, at } = ways === undefined ? { kind: 'unclear' as const, at: 0 } : combine(ways)
  return kind === 'public' ? { kind } : { kind, line: lineAt(text, at) }
}

/** Where ways end differently, the one that denies is the place to look at. */
function combine(ways: readonly Outcome[]): Outcome {
  const kinds = new Set(ways.map(({ kind }) => kind))
  const worst = ways.find(({ kind }) => kind === 'protected') ?? ways.find(({ kind }) => kind === 'unclear')
  if (worst === undefined) return PUBLIC
  return kinds.size === 1 ? worst : { kind: 'unclear', at: worst.at }
}

function follow(program: Program, path: string, decide: () => boolean): Outcome {
  try {
    return walk(program, path, decide)
  } catch (ending) {
    if (ending instanceof Ending) return ending
    // It nests deeper than the stack.
    if (ending instanceof RangeError) return { kind: 'unclear', at: 0 }
    throw ending
  }
}

function walk(program: Program, path: string, decide: () => boolean): Outcome {
  const scope = new Scope()
  const free = (name: string) => frameworkValue(name, path) ?? UNKNOWN
  const interpreter = new Interpreter(decide, free)
  for (const each of program.body) if (each.type === 'ImportDeclaration') declareImports(each, path, scope)
  interpreter.run(program.body, scope)
  if (!interpreter.isTrue(runsFor(scope.find('config'), path))) return PUBLIC
  const entry = entryOf(program, interpreter, scope)
  const at = entry?.at ?? 0
  if (entry?.value.kind !== 'thing' || !entry.value.call) return { kind: 'unclear', at }
  return judgeAnswer(entry.value.call([requestFor(path), UNKNOWN], at), at)
}

function judgeAnswer(answer: Value, at: number): Outcome {
  if (answer.kind === 'denial') return { kind: 'protected', at: answer.at }
  return answer.kind === 'pass' || answer.kind === 'known' ? PUBLIC : { kind: 'unclear', at }
}

function declareImports({ specifiers, source }: ImportDeclaration, path: string, scope: Scope): void {
  const from = String(source.value)
  for (const each of specifiers) {
    const name = each.type === 'ImportSpecifier' && 'name' in each.imported ? each.imported.name : 'default'
    scope.declare(each.local.name, imported(name, from, path))
  }
}

/** What a file of the app itself exports is not what a framework exports under the same name. */
function imported(name: string, from: string, path: string): Value {
  if (from === 'next-intl/middleware') return LANGUAGE_MIDDLEWARE
  const isForeign = /^(@clerk\/|next\/|next$)/.test(from)
  return (isForeign && frameworkValue(name, path)) || UNKNOWN
}

/** What `config.matcher` says; without one, a middleware runs for every path. */
function runsFor(config: Value | undefined, path: string): Value {
  if (config === undefined) return { kind: 'known', value: true }
  if (config.kind !== 'record') return UNKNOWN
  const matcher = config.fields.get('matcher')
  if (matcher === undefined) return { kind: 'known', value: true }
  const entries = matcher.kind === 'list' ? matcher.items : [matcher]
  const matches = entries.map((entry) => matchesEntry(entry, path))
  if (matches.includes(true)) return { kind: 'known', value: true }
  return matches.includes(undefined) ? UNKNOWN : { kind: 'known', value: false }
}

/** Undefined if that depends on more than the path. */
function matchesEntry(entry: Value, path: string): boolean | undefined {
  const isConditional = entry.kind === 'record' && (entry.fields.has('has') || entry.fields.has('missing'))
  const source = textOf(entry.kind === 'record' ? entry.fields.get('source') : entry)
  const matches = source === undefined ? undefined : matchesSource(source, path)
  return matches && isConditional ? undefined : matches
}

interface Entry {
  readonly value: Value
  readonly at: number
}

/** The names under which Next.js and Astro look for a middleware. */
const ENTRY_NAMES = new Set(['default', 'proxy', 'middleware', 'onRequest'])

function entryOf(program: Program, interpreter: Interpreter, scope: Scope): Entry | undefined {
  for (const each of program.body) {
    if (each.type === 'ExportDefaultDeclaration')
      return { value: defaultOf(each, interpreter, scope), at: each.start }
    const name = exportedName(each)
    if (name !== undefined) return { value: scope.find(name) ?? UNKNOWN, at: each.start }
    if (each.type === 'ExpressionStatement' && isModuleExports(each.expression)) {
      return { value: interpreter.evaluate(each.expression.right, scope), at: each.start }
    }
  }
  return undefined
}

function defaultOf({ declaration }: ExportDefaultDeclaration, interpreter: Interpreter, scope: Scope): Value {
  if (declaration.type === 'FunctionDeclaration') return interpreter.close(declaration, scope)
  return declaration.type === 'ClassDeclaration' ? UNKNOWN : interpreter.evaluate(declaration, scope)
}

/** Of `export const middleware = …`, `export function proxy …` and `export { x as default }`, the local name. */
function exportedName(node: Program['body'][number]): string | undefined {
  if (node.type !== 'ExportNamedDeclaration') return undefined
  const { declaration, specifiers, source } = node
  const names =
    declaration?.type === 'VariableDeclaration'
      ? declaration.declarations.map(({ id }) => ('name' in id ? [id.name, id.name] : []))
      : declaration?.id
        ? [[declaration.id.name, declaration.id.name]]
        : specifiers.map(({ local, exported }) => [nameOf(local), nameOf(exported)])
  const [local] = names.find(([, exported]) => ENTRY_NAMES.has(exported ?? '')) ?? []
  // What another file exports is not in this file.
  return source && local ? '' : local
}

function nameOf(node: { readonly type: string }): string {
  return 'name' in node ? String(node.name) : String((node as { value?: unknown }).value)
}

function isModuleExports(node: Expression): node is Extract<Expression, { type: 'AssignmentExpression' }> {
  return (
    node.type === 'AssignmentExpression' &&
    node.left.type === 'MemberExpression' &&
    nameOf(node.left.object) === 'module' &&
    nameOf(node.left.property) === 'exports'
  )
}
