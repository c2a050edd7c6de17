/** What expressions are worth. */

import type {
  AssignmentExpression,
  BinaryExpression,
  CallExpression,
  Expression,
  LogicalExpression,
  MemberExpression,
  NewExpression,
  ObjectExpression,
  PrivateIdentifier,
  SpreadElement,
  Super,
  TemplateLiteral,
} from 'acorn'
import { constructed } from './frameworks.ts'
import { methodOf } from './methods.ts'
import type { Scope } from './scope.ts'
import { giveUp, known, list, type Primitive, truthOf, UNDEFINED, UNKNOWN, type Value } from './value.ts'
import type { Walk } from './walk.ts'

const COMPARISONS: Readonly<Record<string, (a: never, b: never) => Primitive>> = {
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
  '+': (a, b) => (a as string) + (b as string),
}

export class Expressions {
  readonly #walk: Walk
  readonly #free: (name: string) => Value

  constructor(walk: Walk, free: (name: string) => Value) {
    this.#walk = walk
    this.#free = free
  }

  evaluate(node: Expression | Super | PrivateIdentifier, scope: Scope): Value {
    this.#walk.step(node.start)
    switch (node.type) {
      case 'Identifier':
        return node.name === 'undefined' ? UNDEFINED : (scope.find(node.name) ?? this.#free(node.name))
      case 'Literal':
        return node.value instanceof RegExp ? { kind: 'pattern', value: node.value } : known(node.value)
      case 'TemplateLiteral':
        return this.#template(node, scope)
      case 'ArrayExpression':
        return this.#list(node.elements, scope)
      case 'ObjectExpression':
        return this.#record(node, scope)
      case 'ArrowFunctionExpression':
      case 'FunctionExpression':
        return this.#walk.close(node, scope)
      case 'AwaitExpression':
        return this.evaluate(node.argument, scope)
      case 'ParenthesizedExpression':
      case 'ChainExpression':
        return this.evaluate(node.expression, scope)
      case 'SequenceExpression':
        return node.expressions.map((each) => this.evaluate(each, scope)).at(-1) ?? UNDEFINED
      case 'UnaryExpression':
        return this.#unary(node.operator, this.evaluate(node.argument, scope))
      case 'LogicalExpression':
        return this.#logical(node, scope)
      case 'ConditionalExpression':
        return this.evaluate(
          this.isTrue(this.evaluate(node.test, scope)) ? node.consequent : node.alternate,
          scope,
        )
      case 'BinaryExpression':
        return this.#binary(node, scope)
      case 'AssignmentExpression':
        return this.#assign(node, scope)
      case 'MemberExpression':
        return this.#member(node, scope)
      case 'CallExpression':
        return this.#call(node, scope)
      case 'NewExpression':
        return this.#construct(node, scope)
      default:
        return UNKNOWN
    }
  }

  isTrue(value: Value): boolean {
    return truthOf(value) ?? this.#walk.decide()
  }

  equal(left: Value, right: Value): Value {
    if (left.kind === 'known' && right.kind === 'known') return known(left.value === right.value)
    if (left.kind === 'unknown' || right.kind === 'unknown') return UNKNOWN
    // Of two objects nothing is known; an object is no primitive.
    return left.kind === 'known' || right.kind === 'known' ? known(false) : UNKNOWN
  }

  property(owner: Value, name: string, at: number): Value {
    switch (owner.kind) {
      case 'record':
        return owner.fields.get(name) ?? (owner.fields.has('...') ? UNKNOWN : UNDEFINED)
      case 'thing':
        return owner.get?.(name, at) ?? UNKNOWN
      case 'list':
        if (name === 'length') return known(owner.items.length)
        if (/^\d+$/.test(name)) return owner.items[Number(name)] ?? UNDEFINED
        return methodOf(owner, name, this.#walk.decide) ?? UNKNOWN
      case 'known':
      case 'pattern':
        return methodOf(owner, name, this.#walk.decide) ?? UNKNOWN
      default:
        return UNKNOWN
    }
  }

  #template({ quasis, expressions }: TemplateLiteral, scope: Scope): Value {
    const values = expressions.map((each) => this.evaluate(each, scope))
    const texts = values.map((value) => (value.kind === 'known' ? String(value.value) : undefined))
    if (texts.includes(undefined)) return UNKNOWN
    return known(quasis.map(({ value }, index) => (value.cooked ?? '') + (texts[index] ?? '')).join(''))
  }

  #list(elements: readonly (Expression | SpreadElement | null)[], scope: Scope): Value {
    const items: Value[] = []
    for (const each of elements) {
      if (each?.type !== 'SpreadElement') items.push(each ? this.evaluate(each, scope) : UNDEFINED)
      else {
        const spread = this.evaluate(each.argument, scope)
        if (spread.kind === 'list') items.push(...spread.items)
        // Something may be in it; one unknown entry stands for all.
        else items.push(UNKNOWN)
      }
    }
    return list(items)
  }

  #record({ properties }: ObjectExpression, scope: Scope): Value {
    const fields = new Map<string, Value>()
    for (const each of properties) {
      if (each.type === 'SpreadElement') fields.set('...', UNKNOWN)
      else if (each.kind === 'init') fields.set(this.#keyOf(each, scope), this.evaluate(each.value, scope))
    }
    return { kind: 'record', fields }
  }

  #keyOf(
    { key, computed }: { key: Expression | PrivateIdentifier; computed: boolean },
    scope: Scope,
  ): string {
    if (key.type === 'Identifier' && !computed) return key.name
    const value = this.evaluate(key, scope)
    return value.kind === 'known' ? String(value.value) : '...'
  }

  #unary(operator: string, value: Value): Value {
    if (operator === '!') {
      const truth = truthOf(value)
      return truth === undefined ? UNKNOWN : known(!truth)
    }
    if (operator === 'void') return UNDEFINED
    return operator === '-' && value.kind === 'known' ? known(-Number(value.value)) : UNKNOWN
  }

  #logical({ operator, left, right }: LogicalExpression, scope: Scope): Value {
    const value = this.evaluate(left, scope)
    const goesOn = this.#goesOn(operator, value)
    if (goesOn) return this.evaluate(right, scope)
    // Of an unknown one, what was decided is known now.
    return value.kind === 'unknown' && operator !== '??'
      ? { kind: 'unknown', truth: operator === '||' }
      : value
  }

  #goesOn(operator: string, value: Value): boolean {
    if (operator === '&&') return this.isTrue(value)
    if (operator === '||') return !this.isTrue(value)
    if (value.kind === 'unknown') return this.#walk.decide()
    return value.kind === 'known' && value.value == null
  }

  #binary({ operator, left, right }: BinaryExpression, scope: Scope): Value {
    const [a, b] = [this.evaluate(left, scope), this.evaluate(right, scope)]
    if (operator === '===' || operator === '!==') return this.#equality(a, b, operator === '!==')
    if (operator === '==' || operator === '!=') return this.#equality(loose(a), loose(b), operator === '!=')
    const compute = COMPARISONS[operator]
    if (!compute || a.kind !== 'known' || b.kind !== 'known') return UNKNOWN
    if (typeof a.value === 'bigint' || typeof b.value === 'bigint') return UNKNOWN
    return known(compute(a.value as never, b.value as never))
  }

  #equality(a: Value, b: Value, isNegated: boolean): Value {
    const equal = this.equal(a, b)
    return isNegated ? this.#unary('!', equal) : equal
  }

  #assign({ operator, left, right }: AssignmentExpression, scope: Scope): Value {
    const value = this.evaluate(right, scope)
    if (left.type === 'Identifier') scope.assign(left.name, operator === '=' ? value : UNKNOWN)
    // What was assigned to is not known any more.
    else if (left.type === 'MemberExpression' && left.object.type === 'Identifier')
      this.#mutate(left.object, scope)
    return value
  }

  /** A request or a response stays what it is when a header or a parameter of it is set. */
  #mutate(object: { name: string }, scope: Scope): void {
    const kind = scope.find(object.name)?.kind
    if (kind === 'record' || kind === 'list') scope.forget(object.name)
  }

  #member({ object, property, computed, start }: MemberExpression, scope: Scope): Value {
    const owner = this.evaluate(object, scope)
    if (owner.kind === 'known' && owner.value == null) return UNDEFINED
    if (!computed && property.type === 'Identifier') return this.property(owner, property.name, start)
    const key = this.evaluate(property, scope)
    return key.kind === 'known' ? this.property(owner, String(key.value), start) : UNKNOWN
  }

  #call(node: CallExpression, scope: Scope): Value {
    const callee = this.evaluate(node.callee, scope)
    const args = this.#args(node.arguments, scope)
    if (callee.kind === 'thing' && callee.call) return callee.call(args, node.start)
    return callee.kind === 'known' && callee.value === undefined && node.optional
      ? UNDEFINED
      : this.#callUnknown(args, node.start)
  }

  #args(args: CallExpression['arguments'], scope: Scope): readonly Value[] {
    const all = this.#list(args, scope)
    return all.kind === 'list' ? all.items : []
  }

  /** Logging changes nothing. What was given the session or code to run may turn the request away. */
  #callUnknown(args: readonly Value[], at: number): Value {
    const isRisky = args.some((arg) => arg.kind === 'thing' && (arg.canDeny || arg.call))
    return isRisky && this.#walk.isInHandler ? giveUp(at) : UNKNOWN
  }

  #construct({ callee, arguments: args, start }: NewExpression, scope: Scope): Value {
    const values = this.#args(args, scope)
    return callee.type === 'Identifier' ? constructed(callee.name, values, start) : UNKNOWN
  }
}

/** `== null` also holds for undefined; other mixed types stay unknown. */
function loose(value: Value): Value {
  return value.kind === 'known' && value.value == null ? known(null) : value
}
