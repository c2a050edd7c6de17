/** Which tables there are, for Kysely's migrator: those of one schema. */

import type { DatabaseIntrospector, Dialect, QueryExecutorProvider, SchemaMetadata } from 'kysely'
import { query } from './query.ts'

/**
 * The dialect, seeing one schema only.
 *
 * Kysely's own introspection goes through every column of every table of the database: that is slow where there are many,
 * and it fails when somebody drops another schema at the same moment.
 */
export function withinSchema(dialect: Dialect, schema: string): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createDriver: () => dialect.createDriver(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (database) => introspector(database, schema),
  }
}

const SCHEMA = 'select nspname as name from pg_catalog.pg_namespace where nspname = $1'
const TABLES = `
  select relname as name
  from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
  where nspname = $1 and relkind in ('r', 'p')`

/** Names only: the migrator asks for no more. */
function introspector(database: QueryExecutorProvider, schema: string): DatabaseIntrospector {
  return {
    getSchemas: () => query<SchemaMetadata>(database, SCHEMA, [schema]),
    getTables: async () => {
      const tables = await query<{ name: string }>(database, TABLES, [schema])
      return tables.map(({ name }) => ({ name, schema, isView: false, isForeign: false, columns: [] }))
    },
  }
}
