/** Prisma's own schema engine: what `prisma migrate` would do, without its command line, which downloads a binary. */

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
} from '@prisma/driver-adapter-utils'
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'

export interface SchemaFile {
  readonly path: string
  readonly content: string
}

const WASM = createRequire(import.meta.url)
  .resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  .replace(/js$/, 'wasm')

/** Neither ES2024 nor Node's types have it. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    instantiate(
      bytes: Uint8Array,
      imports: object,
    ): Promise<{
      instance: { exports: { __wbindgen_start(): void } }
    }>
  }
}

/** Once: the engine's JavaScript keeps views of the memory of its first instance. */
let loaded: Promise<void> | undefined

async function load(): Promise<void> {
  const imports = { './schema_engine_bg.js': engine }
  const { instance } = await WebAssembly.instantiate(await readFile(WASM), imports)
  engine.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
}

/**
 * The SQL that `prisma migrate diff --from-config-datasource --to-schema` prints.
 * @param external as in `tables.external` of prisma.config.ts
 */
export async function migrateDiff(
  connectionString: string,
  files: readonly SchemaFile[],
  external: readonly string[],
): Promise<string> {
  loaded ??= load()
  await loaded
  const pool = new CharPool({ connectionString })
  const datamodels = files.map(({ path, content }): [string, string] => [path, content])
  const factory = bindMigrationAwareSqlAdapterFactory(withChars(new PrismaPg(pool), pool.chars))
  const schemaEngine = await engine.SchemaEngine.new({ datamodels }, () => undefined, factory)
  try {
    const { stdout } = await schemaEngine.diff({
      from: { tag: 'schemaDatasource', files: [...files], configDir: process.cwd() },
      to: { tag: 'schemaDatamodel', files: [...files] },
      script: true,
      exitCode: null,
      filters: { externalTables: [...external], externalEnums: [] },
    })
    return stdout ?? ''
  } finally {
    schemaEngine.free()
    await pool.end()
  }
}

/** The type "char" of Postgres' catalogue, and what the adapter knows it as. */
const CHAR_OID = 18
const TEXT_OID = 25
const CHARACTER = 6

/** Prisma's adapter for pg refuses "char", which the engine's own queries select. */
class CharPool extends pg.Pool {
  /** The names of such columns. */
  readonly chars = new Set<string>()

  // biome-ignore lint/suspicious/noExplicitAny: pg's overloads
  override async query(...words: any[]): Promise<any> {
    // biome-ignore lint/suspicious/noExplicitAny: as above
    const result = await (super.query as (...all: any[]) => Promise<pg.QueryArrayResult>).apply(this, words)
    for (const [at, field] of result.fields.entries()) {
      if (field.dataTypeID !== CHAR_OID) continue
      field.dataTypeID = TEXT_OID
      this.chars.add(field.name)
      for (const row of result.rows) if (row[at] === '') row[at] = '\0'
    }
    return result
  }
}

function withChars(
  factory: SqlMigrationAwareDriverAdapterFactory,
  chars: ReadonlySet<string>,
): SqlMigrationAwareDriverAdapterFactory {
  const connectPlain = factory.connect.bind(factory)
  const connect = async () => {
    const adapter = await connectPlain()
    const queryRaw = adapter.queryRaw.bind(adapter)
    return Object.assign(adapter, {
      queryRaw: async (query: SqlQuery) => {
        const { columnNames, columnTypes, ...rest } = await queryRaw(query)
        const types = columnTypes.map((type, at) => (chars.has(columnNames[at] ?? '') ? CHARACTER : type))
        return { ...rest, columnNames, columnTypes: types }
      },
    })
  }
  return Object.assign(factory, { connect, connectToShadowDb: connect })
}
