/** The options of a command, and where each comes from: flag, else environment, else configuration file, else default. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { closest } from '../closest.ts'
import {
  type ConfiguredSecret,
  environmentOptions,
  firstOf,
  OPTION_NAMES,
  OPTION_VARIABLES,
  type OptionName,
  resolveConfig,
} from '../config.ts'
import { ClerkSyncError } from '../errors.ts'
import type { ClerkSyncOptions } from '../index.ts'
import { missingSecret } from '../webhook/secret.ts'
import { originOf as fileOf } from './environment.ts'

/** Where the value of an option comes from. */
export interface Origin {
  readonly kind: 'flag' | 'environment' | 'file' | 'default'
  /** The flag, the variable or the file. */
  readonly name?: string | undefined
  /** The file that the variable is from, if it is from one. */
  readonly envFile?: string | undefined
}

/** Options of the command line. */
export interface Flags {
  /** The configuration file. */
  readonly config?: string | undefined
  readonly database?: string | undefined
  readonly schema?: string | undefined
}

export const DEFAULT: Origin = { kind: 'default' }

export interface Configuration {
  /** For `createClerkSync`, which adds the defaults. */
  readonly options: ClerkSyncOptions
  /** Where the configuration file is; undefined if there is none. */
  readonly path: string | undefined
  /** Every source that has a value for an option; the first one counts. */
  originsOf(option: OptionName): readonly Origin[]
}

interface Layer {
  readonly options: ClerkSyncOptions
  readonly origin: (option: OptionName) => Origin
}

/** @throws {ClerkSyncError} `config_…` */
export async function loadConfiguration(flags: Flags): Promise<Configuration> {
  const { config, database, schema } = flags
  // An empty variable is none.
  const file = await loadConfigFile(config || undefined)
  const layers: readonly Layer[] = [
    { options: { database, schema }, origin: fromFlag },
    { options: environmentOptions(process.env), origin: fromEnvironment },
    { options: file?.options ?? {}, origin: () => ({ kind: 'file', name: file?.path }) },
  ]
  return {
    options: firstOf(layers.map(({ options }) => options)),
    path: file?.path,
    originsOf: (option) =>
      layers.filter(({ options }) => options[option] !== undefined).map(({ origin }) => origin(option)),
  }
}

function fromFlag(option: OptionName): Origin {
  return { kind: 'flag', name: `--${option}` }
}

function fromEnvironment(option: OptionName): Origin {
  const name = OPTION_VARIABLES[option].find((variable) => process.env[variable]) as string
  return { kind: 'environment', name, envFile: fileOf(name) }
}

/** `DATABASE_URL in .env.local` */
export function describeOrigin({ kind, name, envFile }: Origin): string {
  if (name === undefined) return kind
  return envFile === undefined ? name : `${name} in ${envFile}`
}

interface ConfigFile {
  /** As it was named or found. */
  readonly path: string
  readonly options: ClerkSyncOptions
}

export const CONFIG_FILES = [
  'clerk-sync.config.ts',
  'clerk-sync.config.mts',
  'clerk-sync.config.js',
  'clerk-sync.config.mjs',
  'src/clerk-sync.config.ts',
  'src/clerk-sync.config.mts',
  'src/clerk-sync.config.js',
  'src/clerk-sync.config.mjs',
] as const

/**
 * Loads the file of that name, or the one of the working directory; undefined if there is none there.
 * @throws {ClerkSyncError} `config_not_found`, `config_unloadable` or `config_invalid`
 */
async function loadConfigFile(path: string | undefined): Promise<ConfigFile | undefined> {
  const found = path ?? findConfigFile()
  if (found === undefined) return undefined
  if (!existsSync(found)) throw new ClerkSyncError('config_not_found', found)
  if (!/\.[cm]?[jt]s$/.test(found))
    throw new ClerkSyncError('config_invalid', `${found} is not named *.ts or *.js`)
  return { path: found, options: checkOptions(await importDefault(found), found) }
}

function findConfigFile(): string | undefined {
  const [found, ...others] = CONFIG_FILES.filter((name) => existsSync(name))
  if (others.length === 0) return found
  throw new ClerkSyncError('config_invalid', `there are several, ${[found, ...others].join(' and ')}`)
}

async function importDefault(path: string): Promise<unknown> {
  const { emitWarning } = process
  process.emitWarning = (...args: unknown[]) => {
    if (!isAboutTypes(args)) Reflect.apply(emitWarning, process, args)
  }
  try {
    const module = await import(pathToFileURL(resolve(path)).href)
    return module.default
  } catch (error) {
    throw new ClerkSyncError('config_unloadable', `${path}, ${reasonOf(error, path)}`, { cause: error })
  } finally {
    process.emitWarning = emitWarning
  }
}

/** What Node warns of when it removes types, or finds out by itself that a file of an app without "type" is a module. */
function isAboutTypes(args: readonly unknown[]): boolean {
  const text = args.map((arg) => (typeof arg === 'object' ? JSON.stringify(arg) : String(arg))).join(' ')
  return /MODULE_TYPELESS_PACKAGE_JSON|Type Stripping/.test(text)
}

const NO_TYPESCRIPT = `because Node ${process.versions.node} cannot read TypeScript. Use Node 22.18 or newer, or name the file clerk-sync.config.mjs and write it in JavaScript`

/** By the code of Node's error. */
const REASONS: Readonly<Record<string, string>> = {
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    'because it needs a compiler. Node only removes types: use no enum, namespace, decorator or parameter property in it or in what it imports',
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING:
    'because it imports TypeScript from node_modules, which Node does not read',
}

/** Without the stack: that is the cause's. */
function reasonOf(error: unknown, path: string): string {
  if (!(error instanceof Error)) return `which throws ${typeof error === 'string' ? error : typeof error}`
  const { code = '' } = error as NodeJS.ErrnoException
  const [fact = ''] = error.message.split('\n')
  const line = lineOf(error, path)
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && !process.features.typescript) return NO_TYPESCRIPT
  if (REASONS[code]) return `${REASONS[code]}${fact === '' ? '' : ` (${fact.trim()})`}${line}`
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return missingImport(fact)
  if (error.name === 'SyntaxError') return `which has a syntax error: ${fact}${line}`
  return `which throws ${error.name}: ${fact}${line}`
}

/** The name of a package, not a path or an alias such as `@/lib`. */
const PACKAGE = /^(@[\w.-]+\/)?[\w-][\w.-]*$/

function missingImport(fact: string): string {
  const [, name = ''] = /Cannot find (?:package|module) '([^']+)'/.exec(fact) ?? []
  if (name === 'clerk-sync')
    return 'which imports clerk-sync, and that is not installed here: run npm install clerk-sync'
  if (PACKAGE.test(name))
    return `which imports ${name}, and that is not installed here: run npm install ${name}`
  return `because of an import: ${fact}. Node knows no path aliases of tsconfig.json, and wants the ending of a file, as in ./handlers.ts`
}

/** Where in the file, if the stack says so. */
function lineOf({ stack = '' }: Error, path: string): string {
  const url = pathToFileURL(resolve(path)).href
  const at = [url, resolve(path)]
    .map((place) => stack.split(`${place}:`)[1])
    .find((rest) => rest !== undefined)
  const [line] = /^\d+/.exec(at ?? '') ?? []
  return line === undefined ? '' : `, line ${line}`
}

function checkOptions(value: unknown, path: string): ClerkSyncOptions {
  if (value === undefined) throw new ClerkSyncError('config_invalid', `${path} has no default export`)
  if (typeof value !== 'object' || value === null) {
    const kind = value === null ? 'null' : `a ${typeof value}`
    throw new ClerkSyncError('config_invalid', `the default export of ${path} is ${kind}, not options`)
  }
  for (const name of Object.keys(value)) {
    if (!(OPTION_NAMES as readonly string[]).includes(name)) throw unknownOption(name, path)
  }
  return value
}

function unknownOption(name: string, path: string): ClerkSyncError {
  const likely = closest(name, OPTION_NAMES)
  const hint = likely === undefined ? `there are ${OPTION_NAMES.join(', ')}` : `the nearest is ${likely}`
  return new ClerkSyncError('config_invalid', `${path} gives "${name}", which is no option; ${hint}`)
}

/** The configured signing secrets; none if there are none. */
export function signingSecrets(options: ClerkSyncOptions): readonly ConfiguredSecret[] {
  return resolveConfig(options, process.env).signingSecrets
}

/**
 * The configured signing secrets: at least one.
 * @throws {ClerkSyncError} `secret_missing`, naming the variables that look as if they held it
 */
export function requireSecrets(
  options: ClerkSyncOptions,
): readonly [ConfiguredSecret, ...ConfiguredSecret[]] {
  const { signingSecrets, otherSecrets } = resolveConfig(options, process.env)
  const [first, ...rest] = signingSecrets
  if (first === undefined) throw missingSecret(otherSecrets)
  return [first, ...rest]
}
