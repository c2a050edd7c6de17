/** What evaluating an expression needs of the walk that it is part of. */

import type { BlockStatement, Expression, Pattern } from 'acorn'
import type { Scope } from './scope.ts'
import type { Thing } from './value.ts'
import type { Decide } from './ways.ts'

export interface FunctionNode {
  readonly params: readonly Pattern[]
  readonly body: BlockStatement | Expression
}

export interface Walk {
  readonly decide: Decide
  /** Whether a function of the middleware runs, not the file around it. */
  readonly isInHandler: boolean
  /** Counts a step, and gives up after too many. */
  step(at: number): void
  /** The function that a node makes in a scope. */
  close(node: FunctionNode, scope: Scope): Thing
}
