/**
 * What a migration is. Upgrades roll: while one process runs a new version, others still run the one before, on the same
 * tables. So a release only adds (expand), and what the code before it needs is removed a release later (contract).
 *
 * A database's schema has a level: the number of its last migration. Code knows the levels up to its own last migration, and
 * works with any newer schema until a migration says, by `oldestLevel`, that it cannot.
 *
 * To add a column: 1. `statements` adds it, nullable or with a constant default; the code writes it. 2. `batches` fill it for old
 * rows. 3. In the next release the code reads it. To remove one: 1. The code stops using it. 2. In the next release
 * `statements` drops it, with the `oldestLevel` of the release that stopped using it.
 */

interface Named {
  /** `0002_what_it_adds`: the number is the schema's level after it. */
  readonly name: string
  /**
   * The lowest level that code must know to work beside this migration: set it for a contract step, to the level of the
   * release that no longer needs what the step removes.
   * @default 1, any code
   */
  readonly oldestLevel?: number
}

/**
 * Statements in one transaction, separated by a semicolon at the end of a line. They wait two seconds for a lock at most, so
 * that deliveries do not queue behind them, and are tried again: they must be quick once they have it.
 */
interface StatementsMigration extends Named {
  readonly kind: 'statements'
  readonly sql: string
}

/** An index, built beside the traffic. One that was left half built is built again. */
export interface IndexMigration extends Named {
  readonly kind: 'index'
  readonly index: string
  /** What follows `on`: `users (email) where …`. */
  readonly on: string
  readonly isUnique?: boolean
}

/**
 * One statement that changes some rows, each time in a transaction of its own, and is repeated until it finds fewer than before. It finds
 * by itself what is left to do, up to a limit: `update … where id in (select id … where new is null limit 1000)`. Rows that code of the
 * version before writes meanwhile or later are for the contract step to fill.
 */
interface BatchesMigration extends Named {
  readonly kind: 'batches'
  readonly sql: string
}

export type Migration = StatementsMigration | IndexMigration | BatchesMigration

export function levelOf(name: string): number {
  return Number.parseInt(name, 10)
}
