import { describe, expect, it } from 'vitest'
import { parseSource, readSources, type Source } from './sources.ts'

/**
 * From the ground up. A file imports what lies below it, and files of its own folder; two folders of one floor do not
 * know each other. Single files of one floor may.
 */
const FLOORS: readonly (readonly string[])[] = [
  [
    'closest.ts',
    'count-of.ts',
    'errors.ts',
    'dashboard-errors.ts',
    'database-errors.ts',
    'duration.ts',
    'handler-errors.ts',
    'log.ts',
    'fact-log.ts',
    'peer.ts',
    'telemetry.ts',
    'validate.ts',
    'version.ts',
  ],
  ['explanations/'],
  ['clerk/', 'middleware/'],
  ['database/'],
  ['webhook/', 'ingest/', 'idempotency/', 'maintenance/'],
  ['handlers/', 'backfill/', 'erasure/', 'inspect/', 'testing/'],
  ['alerts/', 'schema/'],
  [
    'config.ts',
    'drain.ts',
    'housekeeping.ts',
    'reply.ts',
    'refusal-log.ts',
    'schema-watch.ts',
    'verifier.ts',
    'process-idempotently.ts',
    'sync.ts',
    'responder.ts',
  ],
  ['index.ts'],
  ['adapters/', 'clerk-backend.ts', 'dashboard/', 'metrics/', 'opentelemetry.ts'],
  ['server/', 'mcp/'],
  ['configuration/', 'simulation/', 'tunnel/'],
  ['doctor/'],
  ['scaffold/'],
  ['cli/'],
]

/** Translators between a framework and the public API know that API, and what Node brings along. */
const ADAPTERS_MAY_IMPORT = /^\.\.\/index\.ts$|^node:/

/** Nest takes modules and decorators only in its own form. */
const NEST_MAY_IMPORT = /^@nestjs\/(common|core)$/

/** Whoever else reads the environment makes the configuration depend on the moment. */
const MAY_READ_ENVIRONMENT = /^(sync|verifier|config|process-idempotently)\.ts$|^(cli|configuration|doctor)\//

const SEE = 'See "Layers" in docs/architecture.md.'

function placeOf(path: string): { floor: number; unit: string } | undefined {
  const floor = FLOORS.findIndex((units) => units.some((unit) => path.startsWith(unit)))
  const unit = FLOORS[floor]?.find((each) => path.startsWith(each))
  return unit === undefined ? undefined : { floor, unit }
}

/** What is wrong with an import, in a sentence; undefined if nothing is. */
function faultOf(from: string, to: string): string | undefined {
  const [source, target] = [placeOf(from), placeOf(to)]
  if (!source || !target) return `${source ? to : from} is on no floor.`
  if (target.floor > source.floor) return `Imports go down only, and ${target.unit} is above ${source.unit}.`
  const areFolders = source.unit.endsWith('/') || target.unit.endsWith('/')
  const isSideways = target.floor === source.floor && target.unit !== source.unit
  return isSideways && areFolders
    ? `${source.unit} and ${target.unit} are strangers on one floor.`
    : undefined
}

function faultsOf({ path, imports }: Source): string[] {
  return imports.flatMap(({ specifier, path: target }) => {
    const foreign =
      path.startsWith('adapters/') &&
      !specifier.startsWith('./') &&
      !ADAPTERS_MAY_IMPORT.test(specifier) &&
      !(path === 'adapters/nest.ts' && NEST_MAY_IMPORT.test(specifier))
    const fault = foreign
      ? 'Adapters import the public API and node: modules only.'
      : target && faultOf(path, target)
    return fault ? [`src/${path} imports '${specifier}': ${fault} ${SEE}`] : []
  })
}

/** The paths that lead from a file back to it. */
function cyclesOf(sources: readonly Source[]): string[] {
  const imports = new Map(
    sources.map(({ path, imports }) => [path, imports.flatMap((each) => each.path ?? [])]),
  )
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (done.has(path) || trail.includes(path)) return
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of imports.keys()) visit(path, [])
  return cycles
}

const sources = readSources()

describe('the floors of the house', () => {
  it('has a place for every file', () => {
    expect(
      sources.filter(({ path }) => !placeOf(path)).map(({ path }) => `src/${path} is on no floor. ${SEE}`),
    ).toEqual([])
  })

  it('lets imports go down only, and keeps the folders of one floor apart', () => {
    expect(sources.flatMap(faultsOf)).toEqual([])
  })

  it('has no circle', () => {
    expect(cyclesOf(sources)).toEqual([])
  })

  it('reads the environment in one place, and in the command line', () => {
    const readers = sources.filter(
      ({ text, path }) => /\bprocess\.env\b/.test(text) && !MAY_READ_ENVIRONMENT.test(path),
    )
    expect(
      readers.map(({ path }) => `src/${path} reads process.env: take it from the configuration. ${SEE}`),
    ).toEqual([])
  })

  it('imports only files that there are', () => {
    const paths = new Set(sources.map(({ path }) => path))
    const missing = sources.flatMap(({ path, imports }) =>
      imports.flatMap((each) =>
        each.path?.endsWith('.ts') && !paths.has(each.path) ? [`${path} → ${each.specifier}`] : [],
      ),
    )
    expect(missing).toEqual([])
    expect(sources.length).toBeGreaterThan(50)
    expect(sources.flatMap((each) => each.imports).length).toBeGreaterThan(150)
  })
})

describe('a breach of the floors', () => {
  const source = (path: string, text: string) => parseSource(path, text)

  it.each([
    ['upwards', 'clerk/event.ts', "import { x } from '../ingest/apply.ts'", 'ingest/ is above clerk/'],
    [
      'upwards, of a type',
      'ingest/apply.ts',
      "import type { Config } from '../config.ts'",
      'config.ts is above ingest/',
    ],
    [
      'upwards, over several lines',
      'log.ts',
      "import {\n  a,\n  b,\n} from './clerk/event.ts'",
      'clerk/ is above log.ts',
    ],
    [
      'upwards, again exported',
      'webhook/verify.ts',
      "export * from '../sync.ts'",
      'sync.ts is above webhook/',
    ],
    [
      'upwards, later',
      'database/database.ts',
      "const x = await import('../cli/main.ts')",
      'cli/ is above database/',
    ],
    ['upwards, for its effect', 'reply.ts', "import './index.ts'", 'index.ts is above reply.ts'],
    ['sideways', 'webhook/verify.ts', "import { x } from '../ingest/apply.ts'", 'strangers on one floor'],
    ['sideways', 'inspect/events.ts', "import { x } from '../testing/sign.ts'", 'strangers on one floor'],
    ['from nowhere', 'utils/x.ts', "import { x } from '../errors.ts'", 'utils/x.ts is on no floor'],
    [
      'of an adapter past the public API',
      'adapters/next.ts',
      "import { x } from '../reply.ts'",
      'Adapters import the public API',
    ],
    [
      'of an adapter of a framework',
      'adapters/next.ts',
      "import type { x } from 'next'",
      'Adapters import the public API',
    ],
  ])('is found: %s', (_, path, text, fault) => {
    const [found, ...others] = faultsOf(source(path, text))
    expect(others).toEqual([])
    expect(found).toContain(`src/${path} imports '`)
    expect(found).toContain(fault)
    expect(found).toContain('docs/architecture.md')
  })

  it.each([
    ['testing/simulated-svix.ts', "import { sign } from '../webhook/signature.ts'"],
    ['clerk/resources/users.ts', "import { x } from '../resource.ts'"],
    ['sync.ts', "import { x } from './verifier.ts'"],
    ['adapters/node.ts', "import type { ClerkSync } from '../index.ts'\nimport { x } from 'node:http'"],
    ['ingest/apply.ts', "/**\n * @example\n * import { x } from '../cli/main.ts'\n */"],
    ['ingest/apply.ts', "import { Kysely } from 'kysely'"],
  ])('is not what %s does with %j', (path, text) => {
    expect(faultsOf(source(path, text))).toEqual([])
  })

  it('is found in a circle, with the way round', () => {
    const circle = [
      source('a.ts', "import { b } from './b.ts'"),
      source('b.ts', "import type { c } from './c.ts'"),
      source('c.ts', "import { b } from './b.ts'"),
    ]
    expect(cyclesOf(circle)).toEqual(['b.ts → c.ts → b.ts'])
    expect(cyclesOf(circle.slice(0, 2))).toEqual([])
  })
})
