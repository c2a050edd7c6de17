/** The options of a command, and where each comes from: flag, else environment, else configuration file, else default. */

import { environmentOptions, firstOf, OPTION_VARIABLES, type OptionName } from '../config.ts'
import type { ClerkSyncOptions } from '../index.ts'
import { loadConfigFile } from './config-file.ts'
import { originOf as fileOf } from './environment.ts'
import type { DatabaseOptions } from './options.ts'

/** Where the value of an option comes from. */
export interface Origin {
  readonly kind: 'flag' | 'environment' | 'file' | 'default'
  /** The flag, the variable or the file. */
  readonly name?: string | undefined
  /** The file that the variable is from, if it is from one. */
  readonly envFile?: string | undefined
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
export async function loadConfiguration(flags: DatabaseOptions): Promise<Configuration> {
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
