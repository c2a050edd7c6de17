/** How the tables refer to each other, and what the fields are called that follow it. */

import { TABLES } from './definitions.ts'
import { toCamelCase, toSingular } from './names.ts'

/** A column that holds the id of another table's row. No foreign key: events arrive in any order. */
export interface RelationDefinition {
  readonly table: string
  readonly column: string
  readonly target: string
}

/** Ids at the provider of a sign-in, not Clerk's. */
const FOREIGN_IDS = /^provider_/

const TARGETS = TABLES.filter(({ key }) => key.length === 1).map(({ name }) => ({
  name,
  singular: toSingular(name),
}))

/** By the names of the columns: `user_id`, `payer_user_id`. */
export const RELATIONS: readonly RelationDefinition[] = TABLES.flatMap(({ name: table, columns }) =>
  columns.flatMap(({ name: column }) => {
    const [target] = FOREIGN_IDS.test(column)
      ? []
      : TARGETS.filter(({ singular }) => `_${column}`.endsWith(`_${singular}_id`)).sort(
          (a, b) => b.singular.length - a.singular.length,
        )
    return target ? [{ table, column, target: target.name }] : []
  }),
)

/** The field that leads from a row to the one it names: `payer_user_id` → `payerUser`; `planRow` beside a column `plan` */
export function toOneField({ table, column }: RelationDefinition): string {
  const name = column.replace(/_id$/, '')
  const isTaken = TABLES.some(
    (each) => each.name === table && each.columns.some((other) => other.name === name),
  )
  return toCamelCase(isTaken ? `${name}_row` : name)
}

/** The field that leads back: `sessions`, `subscriptionsByPayerUser` */
export function toManyField({ table, column, target }: RelationDefinition): string {
  const isPlain = column === `${toSingular(target)}_id`
  return toCamelCase(isPlain ? table : `${table}_by_${column.replace(/_id$/, '')}`)
}
