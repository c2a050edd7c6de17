/**
 * Walks through a middleware's source as one request would: the one with a webhook, signed in to nothing. What it needs
 * to know and does not is unknown; an unknown condition is decided by the caller, who tries both ways.
 */

import type {
  BlockStatement,
  Expression,
  ModuleDeclaration,
  Pattern,
  Statement,
  SwitchStatement,
  TryStatement,
  VariableDeclaration,
} from 'acorn'
import { Expressions } from './expressions.ts'
import { Scope } from './scope.ts'
import { callable, deny, Ending, giveUp, type Thing, UNDEFINED, UNKNOWN, type Value } from './value.ts'
import type { FunctionNode, Walk } from './walk.ts'
import type { Decide } from './ways.ts'

type Executable = Statement | ModuleDeclaration

/** How a statement ends, if not by going on to the next. */
type Completion = { readonly type: 'return'; readonly value: Value } | { readonly type: 'break' | 'continue' }

/** A middleware takes a few hundred steps; one that takes more loops or recurs. */
const MAX_STEPS = 20_000

export class Interpreter implements Walk {
  readonly decide: Decide
  readonly #expressions: Expressions
  #steps = 0
  #depth = 0

  /** @param free what a name means that is declared nowhere in the file */
  constructor(decide: Decide, free: (name: string) => Value) {
    this.decide = decide
    this.#expressions = new Expressions(this, free)
  }

  get isInHandler(): boolean {
    return this.#depth > 0
  }

  run(statements: readonly Executable[], scope: Scope): Completion | undefined {
    for (const each of statements)
      if (each.type === 'FunctionDeclaration') scope.declare(each.id.name, this.close(each, scope))
    for (const each of statements) {
      const completion = this.#execute(each, scope)
      if (completion) return completion
    }
    return undefined
  }

  evaluate(node: Expression, scope: Scope): Value {
    return this.#expressions.evaluate(node, scope)
  }

  step(at: number): void {
    if (++this.#steps > MAX_STEPS) giveUp(at)
  }

  close(node: FunctionNode, scope: Scope): Thing {
    return callable((args) => this.#call(node, args, new Scope(scope)))
  }

  #call({ params, body }: FunctionNode, args: readonly Value[], scope: Scope): Value {
    this.step(body.start)
    for (const [index, param] of params.entries()) this.bind(param, args[index] ?? UNDEFINED, scope)
    this.#depth++
    try {
      if (body.type !== 'BlockStatement') return this.evaluate(body, scope)
      const completion = this.run(body.body, scope)
      return completion?.type === 'return' ? completion.value : UNDEFINED
    } finally {
      this.#depth--
    }
  }

  bind(pattern: Pattern, value: Value, scope: Scope): void {
    switch (pattern.type) {
      case 'Identifier':
        scope.declare(pattern.name, value)
        return
      case 'AssignmentPattern': {
        const isAbsent = value.kind === 'known' && value.value === undefined
        this.bind(pattern.left, isAbsent ? this.evaluate(pattern.right, scope) : value, scope)
        return
      }
      case 'ObjectPattern':
        for (const each of pattern.properties) this.#bindProperty(each, value, scope)
        return
      case 'ArrayPattern':
        for (const [index, each] of pattern.elements.entries())
          if (each)
            this.bind(each, value.kind === 'list' ? (value.items[index] ?? UNDEFINED) : UNKNOWN, scope)
        return
      case 'RestElement':
        this.bind(pattern.argument, UNKNOWN, scope)
        return
      case 'MemberExpression':
    }
  }

  #bindProperty(
    property: Extract<Pattern, { type: 'ObjectPattern' }>['properties'][number],
    value: Value,
    scope: Scope,
  ): void {
    if (property.type === 'RestElement') {
      this.bind(property.argument, UNKNOWN, scope)
      return
    }
    const { key, value: target } = property
    const name = key.type === 'Identifier' ? key.name : undefined
    this.bind(target, name ? this.#expressions.property(value, name, property.start) : UNKNOWN, scope)
  }

  isTrue(value: Value): boolean {
    return this.#expressions.isTrue(value)
  }

  #execute(node: Executable, scope: Scope): Completion | undefined {
    this.step(node.start)
    switch (node.type) {
      case 'ExpressionStatement':
        this.evaluate(node.expression, scope)
        return undefined
      case 'VariableDeclaration':
        return this.#declare(node, scope)
      case 'ReturnStatement':
        return { type: 'return', value: node.argument ? this.evaluate(node.argument, scope) : UNDEFINED }
      case 'IfStatement':
        if (this.isTrue(this.evaluate(node.test, scope))) return this.#execute(node.consequent, scope)
        return node.alternate ? this.#execute(node.alternate, scope) : undefined
      case 'BlockStatement':
        return this.run(node.body, new Scope(scope))
      case 'ThrowStatement':
        this.evaluate(node.argument, scope)
        return deny(node.start)
      case 'TryStatement':
        return this.#try(node, scope)
      case 'SwitchStatement':
        return this.#switch(node, scope)
      case 'ForOfStatement':
        return this.#forOf(node.left, node.right, node.body, scope)
      case 'ExportNamedDeclaration':
        return node.declaration ? this.run([node.declaration as Statement], scope) : undefined
      case 'ClassDeclaration':
        return void scope.declare(node.id?.name ?? '', UNKNOWN)
      case 'BreakStatement':
        return node.label ? giveUp(node.start) : { type: 'break' }
      case 'ContinueStatement':
        return node.label ? giveUp(node.start) : { type: 'continue' }
      case 'FunctionDeclaration':
      case 'EmptyStatement':
      case 'ImportDeclaration':
      case 'ExportDefaultDeclaration':
      case 'ExportAllDeclaration':
        return undefined
      default:
        return giveUp(node.start)
    }
  }

  #declare({ declarations }: VariableDeclaration, scope: Scope): undefined {
    for (const { id, init } of declarations)
      this.bind(id, init ? this.evaluate(init, scope) : UNDEFINED, scope)
  }

  /** Anything may throw; only of a denial it is certain. */
  #try({ block, handler, finalizer }: TryStatement, scope: Scope): Completion | undefined {
    const completion =
      handler && this.decide() ? this.#catch(handler, scope) : this.#attempt(block, handler, scope)
    return (finalizer && this.run(finalizer.body, new Scope(scope))) || completion
  }

  #attempt(block: BlockStatement, handler: TryStatement['handler'], scope: Scope): Completion | undefined {
    try {
      return this.run(block.body, new Scope(scope))
    } catch (ending) {
      if (!handler || !(ending instanceof Ending) || ending.kind !== 'protected') throw ending
      return this.#catch(handler, scope)
    }
  }

  #catch({ param, body }: NonNullable<TryStatement['handler']>, scope: Scope): Completion | undefined {
    const inner = new Scope(scope)
    if (param) this.bind(param, UNKNOWN, inner)
    return this.run(body.body, inner)
  }

  #switch({ discriminant, cases }: SwitchStatement, scope: Scope): Completion | undefined {
    const value = this.evaluate(discriminant, scope)
    const isMatch = ({ test }: (typeof cases)[number]) =>
      test != null && this.isTrue(this.#expressions.equal(value, this.evaluate(test, scope)))
    const matched = cases.findIndex(isMatch)
    const start = matched >= 0 ? matched : cases.findIndex(({ test }) => !test)
    if (start < 0) return undefined
    const completion = this.run(
      cases.slice(start).flatMap(({ consequent }) => consequent),
      new Scope(scope),
    )
    return completion?.type === 'break' ? undefined : completion
  }

  #forOf(
    left: VariableDeclaration | Pattern,
    right: Expression,
    body: Statement,
    scope: Scope,
  ): Completion | undefined {
    const items = this.evaluate(right, scope)
    const target = left.type === 'VariableDeclaration' ? left.declarations[0]?.id : left
    if (items.kind !== 'list' || !target) return giveUp(right.start)
    for (const item of items.items) {
      const inner = new Scope(scope)
      this.bind(target, item, inner)
      const completion = this.#execute(body, inner)
      if (completion?.type === 'break') return undefined
      if (completion?.type === 'return') return completion
    }
    return undefined
  }
}
